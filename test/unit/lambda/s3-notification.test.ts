/** S3 event messages, with hostile keys, other events, other versions and what is none. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readNotification } from "../../../src/lambda/s3-notification.ts";
import { createdEvent, formEncoded } from "../../support/aws/events/s3-events.ts";
import { hostileKeys } from "../../support/hostile-keys.ts";

const OBJECT = { bucket: "bucket-b", key: "avatar/k", etag: "e1", size: 7 };
const read = (document: unknown) => readNotification(JSON.stringify(document));
const events = (created: readonly object[], faults: readonly unknown[] = []) => ({
  kind: "events",
  created,
  faults,
});
const seen = (more: object = {}) => ({ ...OBJECT, principal: "AWS:AROACOPIER:tranship-copy", ...more });

describe("an event", () => {
  it.each(hostileKeys)("names %j exactly", (key) => {
    expect(read({ Records: [createdEvent({ ...OBJECT, key })] })).toEqual(events([seen({ key })]));
  });

  it("names any key exactly, with a space as + or as %20", () => {
    const keys = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(keys, fc.boolean(), (key, isPlus) => {
        const record = createdEvent({ ...OBJECT, key });
        record.s3.object.key = isPlus ? formEncoded(key) : encodeURIComponent(key);
        expect(read({ Records: [record] })).toEqual(events([seen({ key })]));
      }),
    );
  });

  it("is as documented: form-encoded, versions 2.x, ETag without quotes", () => {
    const documented = {
      Records: [
        {
          eventVersion: "2.1",
          eventSource: "aws:s3",
          awsRegion: "us-west-2",
          eventTime: "1970-01-01T00:00:00.000Z",
          eventName: "ObjectCreated:Copy",
          userIdentity: { principalId: "AIDAJDPLRKLG7UEXAMPLE" },
          s3: {
            s3SchemaVersion: "1.0",
            configurationId: "testConfigRule",
            bucket: { name: "amzn-s3-demo-bucket", arn: "arn:aws:s3:::amzn-s3-demo-bucket" },
            object: {
              key: "red+flower%2B.jpg",
              size: 1024,
              eTag: "d41d8cd98f00b204e9800998ecf8427e",
              sequencer: "0055AED6DCD90281E5",
            },
          },
        },
      ],
    };
    expect(read(documented)).toEqual(
      events([
        {
          bucket: "amzn-s3-demo-bucket",
          key: "red flower+.jpg",
          etag: "d41d8cd98f00b204e9800998ecf8427e",
          size: 1024,
          principal: "AIDAJDPLRKLG7UEXAMPLE",
        },
      ]),
    );
  });

  it.each(["2.0", "2.1", "2.2", "2.6", "2.17"])("of version %s is read", (eventVersion) => {
    expect(read({ Records: [{ ...createdEvent(OBJECT), eventVersion }] })).toEqual(events([seen()]));
  });

  it.each(["3.0", "1.9", "2", "2.x", "12.1", "", undefined])("of version %j is a fault", (eventVersion) => {
    const fault = expect.stringContaining("version");
    expect(read({ Records: [{ ...createdEvent(OBJECT), eventVersion }] })).toEqual(events([], [fault]));
  });

  it.each([
    ["ObjectCreated:Copy", 1],
    ["ObjectCreated:CompleteMultipartUpload", 1],
    ["s3:ObjectCreated:Copy", 1],
    ["ObjectCreated:Put", 0],
    ["ObjectCreated:Post", 0],
    ["ObjectCreated:Copying", 0],
    ["ObjectRemoved:Delete", 0],
    ["s3:ReducedRedundancyLostObject", 0],
  ])("named %s gives %i objects", (eventName, count) => {
    expect(read({ Records: [{ ...createdEvent(OBJECT), eventName }] })).toMatchObject({
      kind: "events",
      created: { length: count },
      faults: [],
    });
  });

  it.each([
    ["a broken escape in its key", { key: "a%zz" }],
    ["half a character in its key", { key: "%F0%9F" }],
    ["no key", { key: "" }],
    ["no ETag", { eTag: undefined }],
    ["no size", { size: undefined }],
    ["a size that is text", { size: "7" }],
  ])("with %s is a fault", (_name, object) => {
    const record = createdEvent(OBJECT);
    const broken = { ...record, s3: { ...record.s3, object: { ...record.s3.object, ...object } } };
    expect(read({ Records: [broken] })).toEqual(events([], [expect.any(String)]));
  });

  it("without its bucket or its object is a fault", () => {
    const record = createdEvent(OBJECT);
    for (const s3 of [{ object: record.s3.object }, { bucket: record.s3.bucket }, null, "s3"])
      expect(read({ Records: [{ ...record, s3 }] })).toEqual(events([], [expect.any(String)]));
  });

  it("that cannot be understood hides no other one of its message", () => {
    const other = createdEvent({ ...OBJECT, key: "other" });
    const unknown = { ...createdEvent(OBJECT), eventVersion: "3.0" };
    expect(read({ Records: [unknown, other] })).toEqual(
      events([seen({ key: "other" })], [expect.any(String)]),
    );
  });
});

describe("what is no event", () => {
  it.each([
    "",
    "no JSON",
    "{",
    "null",
    "7",
    '"text"',
    "[]",
    "{}",
    '{"Records":{}}',
    '{"Records":[]}',
    '{"Records":[null,7,"x"]}',
    '{"Records":[{"eventSource":"aws:sqs","body":"x"}]}',
    '{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-30T00:00:00.000Z","Bucket":"bucket-b"}',
    '{"Type":"Notification","Message":"{}"}',
    '{"version":"0","detail-type":"Object Created","source":"aws.s3","detail":{}}',
  ])("is ignored: %s", (body) => {
    expect(readNotification(body)).toEqual({ kind: "ignored", reason: expect.any(String) });
  });

  it("never throws, whatever it is", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => void readNotification(body)));
  });
});
