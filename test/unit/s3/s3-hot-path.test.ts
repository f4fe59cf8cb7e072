/** The hot path's parts that need no server: where copies go, how they are signed, which answers are plain. */

import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import aws4 from "aws4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openS3Client } from "../../../src/stores/s3/client/s3-client.ts";
import {
  AmzDateFormatter,
  EMPTY_PAYLOAD,
  SigningKeyCache,
} from "../../../src/stores/s3/client/sign-request.ts";
import { CopyHeaderCache } from "../../../src/stores/s3/copy/copy-headers.ts";
import { parseCopyResultEtag } from "../../../src/stores/s3/copy/copy-response.ts";
import { resolveRoute } from "../../../src/stores/s3/copy/copy-route.ts";
import { encodeKey } from "../../../src/stores/s3/copy/copy-source.ts";

const KEYS = { accessKeyId: "AK", secretAccessKey: "secret" };

describe("resolveRoute", () => {
  const pin = "x-amz-copy-source-if-match";
  const at = (config: S3ClientConfig, bucket: string) =>
    resolveRoute(new S3Client({ region: "eu-west-1", credentials: KEYS, ...config }), bucket);

  it.each<[S3ClientConfig, string, string, string, string]>([
    [{}, "bkt", "https://bkt.s3.eu-west-1.amazonaws.com", "/", "eu-west-1"],
    [{}, "dot.ted", "https://s3.eu-west-1.amazonaws.com", "/dot.ted/", "eu-west-1"],
    [{ forcePathStyle: true }, "bkt", "https://s3.eu-west-1.amazonaws.com", "/bkt/", "eu-west-1"],
    [{ region: "us-east-1" }, "bkt", "https://bkt.s3.us-east-1.amazonaws.com", "/", "us-east-1"],
    [{ region: "cn-north-1" }, "bkt", "https://bkt.s3.cn-north-1.amazonaws.com.cn", "/", "cn-north-1"],
    [
      { useDualstackEndpoint: true },
      "bkt",
      "https://bkt.s3.dualstack.eu-west-1.amazonaws.com",
      "/",
      "eu-west-1",
    ],
    [
      { useFipsEndpoint: true, region: "us-east-1" },
      "bkt",
      "https://bkt.s3-fips.us-east-1.amazonaws.com",
      "/",
      "us-east-1",
    ],
    [
      { endpoint: "https://s3.eu-west-1.amazonaws.com" },
      "bkt",
      "https://bkt.s3.eu-west-1.amazonaws.com",
      "/",
      "eu-west-1",
    ],
    [
      { endpoint: "https://store.example:8443/p/q" },
      "bkt",
      "https://bkt.store.example:8443",
      "/p/q/",
      "eu-west-1",
    ],
    [
      { endpoint: "http://127.0.0.1:9000", forcePathStyle: true },
      "bkt",
      "http://127.0.0.1:9000",
      "/bkt/",
      "eu-west-1",
    ],
    [
      { endpoint: "http://[::1]:9000/p q", forcePathStyle: true },
      "bkt",
      "http://[::1]:9000",
      "/p%20q/bkt/",
      "eu-west-1",
    ],
    [
      {},
      "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap",
      "https://ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com",
      "/",
      "eu-west-1",
    ],
  ])("goes by the SDK's rules: %j %s", async (config, bucket, origin, pathPrefix, region) => {
    const host = origin.replace(/^https?:\/\//, "");
    expect(await at(config, bucket)).toMatchObject({ origin, host, pathPrefix, region, pinHeaders: [pin] });
  });

  it("leaves to the SDK what is signed in another way", async () => {
    expect(await at({}, "bkt--use1-az4--x-s3")).toBeNull();
  });

  it("throws what the SDK throws", async () => {
    await expect(at({}, "a/b")).rejects.toMatchObject({ name: "InvalidBucketName" });
    await expect(at({ credentials: () => Promise.reject(new Error("none")) }, "bkt")).rejects.toThrow("none");
  });

  it("pins copies twice on stores other than AWS", async () => {
    const names = async (endpoint: string) =>
      (await resolveRoute(openS3Client({ endpoint, ...KEYS }), "bkt"))?.pinHeaders.toSorted();
    expect(await names("http://store.example")).toEqual(["x-amz-copy-if-match", pin]);
    expect(await names("https://s3.eu-west-1.amazonaws.com")).toEqual([pin]);
  });
});

describe("CopyHeaderCache", () => {
  const options = {
    IfNoneMatch: "*",
    MetadataDirective: "COPY",
    TaggingDirective: "COPY",
    StorageClass: "GLACIER_IR",
  } as const;
  const anyCopy = fc.record({
    options: fc.subarray(Object.keys(options) as (keyof typeof options)[]),
    key: fc.constantFrom("k", "k 2"),
    etag: fc.constantFrom('"e1"', '"e2-3"'),
    credentials: fc.constantFrom(KEYS, { ...KEYS, accessKeyId: "B", sessionToken: "token" }),
    amzDate: fc.constantFrom("20260101T000000Z", "20260101T000001Z"),
  });

  it("signs all that is there, whatever was signed before", async () => {
    const route = await resolveRoute(openS3Client({ endpoint: "http://store.example", ...KEYS }), "bkt");
    if (route === null) throw new Error("the SDK has no route");
    fc.assert(
      fc.property(fc.array(anyCopy, { minLength: 1, maxLength: 12 }), (copies) => {
        const headers = new CopyHeaderCache(route, new SigningKeyCache());
        for (const { options: chosen, key, etag, credentials, amzDate } of copies) {
          const kind = Object.fromEntries(chosen.map((name) => [name, options[name]]));
          const CopySource = `a/${encodeKey(key)}`;
          const input = { Bucket: "bkt", Key: key, CopySource, CopySourceIfMatch: etag, ...kind };
          const path = `/${encodeKey(key)}`;
          const sent = Object.fromEntries(pairsOf(headers.headersFor(input, path, amzDate, credentials)));
          const token = "sessionToken" in credentials ? { "x-amz-security-token": "token" } : {};
          const signed = {
            host: route.host,
            "x-amz-content-sha256": EMPTY_PAYLOAD,
            "x-amz-copy-source": CopySource,
            "x-amz-copy-source-if-match": etag,
            "x-amz-copy-if-match": etag,
            "x-amz-date": amzDate,
            ...token,
            ...(chosen.includes("IfNoneMatch") && { "if-none-match": "*" }),
            ...(chosen.includes("MetadataDirective") && { "x-amz-metadata-directive": "COPY" }),
            ...(chosen.includes("TaggingDirective") && { "x-amz-tagging-directive": "COPY" }),
            ...(chosen.includes("StorageClass") && { "x-amz-storage-class": "GLACIER_IR" }),
          };
          const request = {
            service: "s3",
            region: route.region,
            method: "PUT",
            path,
            headers: { ...signed },
          };
          const { Authorization } = aws4.sign(request, credentials).headers ?? {};
          expect(sent).toEqual({ ...signed, "user-agent": route.userAgent, authorization: Authorization });
        }
      }),
    );
  });
});

function pairsOf(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ""] as [string, string]] : []));
}

describe("SigningKeyCache", () => {
  const keys = new SigningKeyCache();
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/).map((text) => text.replace(/ +/g, " "));
  const by = fc.record({
    accessKeyId: fc.stringMatching(/^[A-Z0-9]{4,20}$/),
    secretAccessKey: fc.string({ minLength: 1 }),
    region: fc.constantFrom("us-east-1", "eu-west-1"),
  });

  it("signs as aws4 does, for any key, header and credentials", () => {
    const key = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    const day = fc.constantFrom("20260101T000000Z", "20261231T235959Z");
    fc.assert(
      fc.property(key, value, value, by, day, (key, source, token, by, amzDate) => {
        const path = `/bucket/${encodeKey(key)}`;
        const headers: [string, string][] = [
          ["host", "127.0.0.1:9000"],
          ["x-amz-content-sha256", EMPTY_PAYLOAD],
          ["x-amz-copy-source", source],
          ["x-amz-date", amzDate],
          ["x-amz-security-token", token],
        ];
        const theirs = aws4.sign(
          { service: "s3", region: by.region, method: "PUT", path, headers: Object.fromEntries(headers) },
          by,
        );
        expect(theirs.path).toBe(path);
        const names = headers.map(([name]) => name).join(";");
        const lines = headers.map(([name, value]) => `${name}:${value}\n`).join("");
        const ours = keys.signer(by, amzDate, names).authorization("PUT", path, lines);
        expect(ours).toBe(theirs.headers?.Authorization);
      }),
    );
  });

  it("writes dates as signatures want them", () => {
    const dates = new AmzDateFormatter();
    expect(dates.format(Date.UTC(2026, 0, 31, 23, 59, 59, 999))).toBe("20260131T235959Z");
    expect(dates.format(Date.UTC(2026, 1, 1))).toBe("20260201T000000Z");
  });
});

describe("parseCopyResultEtag", () => {
  const read = (text: string, status = 200) =>
    parseCopyResultEtag({ status, headers: {}, body: Buffer.from(text) });
  const result = (content: string) => `<CopyObjectResult xmlns="x">${content}</CopyObjectResult>`;

  it.each([
    "",
    "<Error><Code>SlowDown</Code><ETag>x</ETag></Error>",
    result("<Error><Code>SlowDown</Code></Error><ETag>x</ETag>"),
    result("<!-- <ETag>x</ETag> -->"),
    result("<![CDATA[<ETag>x</ETag>]]>"),
    result("<ETag>x</ETag><ETag>y</ETag>"),
    result("<ETag>&amp;</ETag>"),
    result("<LastModified>x</LastModified>"),
    `${result("<ETag>x</ETag>")}<Error/>`,
    result("<ETag>x</ETag>").slice(0, -1),
    "<CopyObjectResult/>",
    `<!DOCTYPE x ?>${result("<ETag>x</ETag>")}`,
    `<?xml <a ?>${result("<ETag>x</ETag>")}`,
    "<CopyObjectResults><ETag>x</ETag></CopyObjectResult>",
    `<CopyObjectResult xmlns="x" <ETag>x</ETag></CopyObjectResult>`,
    result("<ETag a='b'>x</ETag>"),
    result("x<ETag>x</ETag>"),
    result("<ETag>x</ETag>x"),
    result("<ETag>x"),
    result("<ETag>x</LastModified>"),
    "<CopyObjectResult><ETag>x</ETag>",
  ])("leaves %j to the SDK", (text) => {
    expect(read(text)).toBeNull();
    expect(read(result("<ETag>x</ETag>"), 206)).toBeNull();
  });
});
