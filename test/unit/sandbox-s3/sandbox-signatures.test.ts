/** Signature checks and routing of the sandbox store. */

import { GetObjectCommand, PutObjectCommand, type S3ClientConfig } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, test } from "vitest";
import { connectTo, credentials, sandboxForAll, store } from "../../support/sandbox-client.ts";

sandboxForAll();
beforeAll(() => void store.putObject("from", "k1", "x"));

const connect = (config: S3ClientConfig = {}) => connectTo(store, config);

describe("a signature", () => {
  const read = new GetObjectCommand({ Bucket: "from", Key: "k1" });

  test("must be right, by a known key, for this region and about now", async () => {
    const attempt = (config: S3ClientConfig) => connect(config).send(read);
    const stranger = { ...credentials, accessKeyId: "stranger" };
    const forger = { ...credentials, secretAccessKey: "guess" };
    await expect(attempt({ credentials: stranger })).rejects.toMatchObject({ name: "InvalidAccessKeyId" });
    await expect(attempt({ credentials: forger })).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
    await expect(attempt({ systemClockOffset: 16 * 60_000 })).rejects.toMatchObject({
      name: "RequestTimeTooSkewed",
    });
    await expect(attempt({ region: "eu-west-1" })).rejects.toMatchObject({
      name: "AuthorizationHeaderMalformed",
    });
    await attempt({ systemClockOffset: -14 * 60_000 });
  });

  test("must be there, and the answer has request ids", async () => {
    const answer = await fetch(`${store.url}/from/k1`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("<Code>AccessDenied</Code>");
    expect(answer.headers.get("x-amz-request-id")).toMatch(/^[0-9A-F]{16}$/);
  });

  test("binds the body by its hash", async () => {
    const tampering = connect();
    tampering.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: unknown; headers: Record<string, string> };
        if (request.headers["x-amz-content-sha256"]?.length === 64) request.body = Buffer.from("y");
        return next(args);
      },
      { step: "finalizeRequest", priority: "low" },
    );
    const put = new PutObjectCommand({ Bucket: "to", Key: "t", Body: "x" });
    await expect(tampering.send(put)).rejects.toMatchObject({ name: "XAmzContentSHA256Mismatch" });
    expect(store.listKeys("to")).toEqual([]);
  });

  test("is not enough for what the store does not do", async () => {
    const send = async (method: string, path: string) => {
      const signed = connect();
      let status = 0;
      signed.middlewareStack.add(
        (next) => (args) => {
          const request = args.request as { method: string; path: string; query: object };
          Object.assign(request, { method, path, query: path.includes("cors") ? { cors: "" } : {} });
          request.path = path.replace("?cors", "");
          return next(args);
        },
        { step: "build", priority: "low" },
      );
      await signed.send(read).catch((error) => {
        status = error.$metadata.httpStatusCode;
      });
      return status;
    };
    expect(await send("GET", "/from/k1?cors")).toBe(501);
    expect(await send("PATCH", "/from/k1")).toBe(405);
    expect(await send("POST", "/from/k1")).toBe(405);
    expect(await send("GET", "/nowhere/k1")).toBe(404);
  });
});
