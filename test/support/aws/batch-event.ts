/** Events and responses of S3 Batch Operations' invocations, schema 2.0. */

export interface BatchEvent {
  readonly invocationSchemaVersion: "2.0";
  readonly invocationId: string;
  readonly job: { readonly id: string; readonly userArguments: Readonly<Record<string, string>> };
  readonly tasks: readonly {
    readonly taskId: string;
    readonly s3Key: string;
    readonly s3VersionId: string | null;
    readonly s3Bucket: string;
  }[];
}

export interface BatchResponse {
  readonly invocationSchemaVersion: string;
  readonly treatMissingKeysAs?: string;
  readonly invocationId: string;
  readonly results: readonly {
    readonly taskId: string;
    readonly resultCode: string;
    readonly resultString?: string;
  }[];
}

/** Invokes the function; rejects where the function fails or is ended by its time-out. */
export type Invoke = (event: BatchEvent) => Promise<BatchResponse>;
