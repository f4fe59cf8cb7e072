/** How long refused credentials are awaited, and when their provider is asked again, by a clock that the test sets. */

import { S3Client } from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, it } from "vitest";
import { CredentialWatch } from "../../../src/stores/s3/client/credential-watch.ts";
import { S3Fault } from "../../../src/stores/s3/s3-errors.ts";

const fault = (code: string) => new S3Fault({ code, status: 400, message: "AKIASECRET" }, "listing a");

let now = 0;
let issued: (string | null)[] = [];
let asked = 0;
let watch: CredentialWatch;
beforeEach(() => {
  now = 0;
  asked = 0;
  issued = ["one"];
  const client = new S3Client({
    region: "eu-west-1",
    credentials: async () => {
      const sessionToken = issued[Math.min(asked, issued.length - 1)];
      asked += 1;
      if (typeof sessionToken !== "string") throw new Error("nothing to give");
      return { accessKeyId: "k", secretAccessKey: "s", sessionToken };
    },
  });
  watch = new CredentialWatch(client, { store: "main", graceMs: 1_000, now: () => now });
});

const codeAt = (at: number, code: string) => {
  now = at;
  return watch.judge(fault(code), "listing a").code;
};

describe("refused credentials", () => {
  it("that never were good are not awaited", () => {
    expect(codeAt(0, "ExpiredToken")).toBe("store_credentials");
  });

  it.each(["ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "CredentialsProviderError"])(
    "that were good are awaited for the grace period after %s, and again from the next run on",
    (code) => {
      watch.noteAccepted();
      expect([0, 999, 1_000].map((at) => codeAt(at, code))).toEqual([
        "store_unavailable",
        "store_unavailable",
        "store_credentials",
      ]);
      expect(codeAt(1_001, code)).toBe("store_credentials");
      watch.restartGrace();
      expect([5_000, 5_999, 6_000].map((at) => codeAt(at, code))).toEqual([
        "store_unavailable",
        "store_unavailable",
        "store_credentials",
      ]);
    },
  );

  it("are awaited anew after every success", () => {
    watch.noteAccepted();
    codeAt(0, "ExpiredToken");
    watch.noteAccepted();
    expect(codeAt(1_500, "ExpiredToken")).toBe("store_unavailable");
  });

  it.each(["SignatureDoesNotMatch", "NotSignedUp"])(
    "are not awaited after %s: no others would fit",
    (code) => {
      watch.noteAccepted();
      expect(codeAt(0, code)).toBe("store_credentials");
    },
  );

  it("are named by their store, and nothing the store says of them is repeated", () => {
    watch.noteAccepted();
    for (const at of [0, 2_000]) {
      now = at;
      const { message } = watch.judge(fault("ExpiredToken"), "listing a");
      expect(message).toMatch(/^Store "main": .*, when listing a \(ExpiredToken\)\.$/);
    }
  });

  it("leave other faults as they are", () => {
    const other = fault("SlowDown");
    expect(watch.judge(other, "listing a")).toBe(other);
  });
});

describe("the provider of credentials", () => {
  it("is asked again when those used are the ones it gave, at most once a second", async () => {
    issued = ["one", "one", "two"];
    const used = await watch.current();
    expect(await watch.hasOthers(used)).toBe(false);
    now = 999;
    expect(await watch.hasOthers(used)).toBe(false);
    expect(asked).toBe(2);
    now = 1_000;
    expect(await watch.hasOthers(used)).toBe(true);
    expect(asked).toBe(3);
  });

  it("is asked once for all requests that are refused at the same time", async () => {
    issued = ["one", "two"];
    const used = await watch.current();
    expect(await Promise.all([watch.hasOthers(used), watch.hasOthers(used)])).toEqual([true, true]);
    expect(asked).toBe(2);
  });

  it("is not asked again when it has given others meanwhile", async () => {
    issued = ["one", "two"];
    const used = await watch.current();
    expect(await watch.hasOthers(used)).toBe(true);
    expect(await watch.hasOthers(used)).toBe(true);
    expect(asked).toBe(2);
  });

  it("that fails has none", async () => {
    issued = ["one", null];
    expect(await watch.hasOthers(await watch.current())).toBe(false);
    issued = [null];
    expect(await watch.current()).toMatchObject({ sessionToken: "one" });
  });
});
