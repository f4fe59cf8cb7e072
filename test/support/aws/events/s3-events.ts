/** S3 event messages as AWS documents them, made for tests. */

/** What an event tells of an object. */
export interface EventObject {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly size: number;
}

/** A space as `+`, all reserved bytes as %XX. */
export function formEncoded(key: string): string {
  return encodeURIComponent(key).replaceAll("%20", "+");
}

/** One record of an `ObjectCreated:Copy` event made by the copying function. */
export function createdEvent({ bucket, key, etag, size }: EventObject) {
  return {
    eventVersion: "2.1",
    eventSource: "aws:s3",
    awsRegion: "eu-central-1",
    eventTime: "2026-11-30T12:00:00.000Z",
    eventName: "ObjectCreated:Copy",
    userIdentity: { principalId: "AWS:AROACOPIER:tranship-copy" },
    requestParameters: { sourceIPAddress: "10.0.0.1" },
    responseElements: { "x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8" },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: "tranship",
      bucket: {
        name: bucket,
        ownerIdentity: { principalId: "A3NL1KOZZKExample" },
        arn: `arn:aws:s3:::${bucket}`,
      },
      object: { key: formEncoded(key), size, eTag: etag, sequencer: "0055AED6DCD90281E5" },
    },
  };
}

/** The message of one event. */
export function createdMessage(object: EventObject, more: object = {}): string {
  return JSON.stringify({ Records: [{ ...createdEvent(object), ...more }] });
}

/** What S3 sends once after a notification has been configured. */
export const TEST_MESSAGE = JSON.stringify({
  Service: "Amazon S3",
  Event: "s3:TestEvent",
  Time: "2026-11-30T12:00:00.000Z",
  Bucket: "bucket-b",
  RequestId: "5582815E1AEA5ADF",
  HostId: "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
});
