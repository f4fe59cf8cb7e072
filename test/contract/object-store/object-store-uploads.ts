/** Uploads objects in parts, as the applications did whose objects are to be moved. */

import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

/** Bytes. */
export const MIB = 1024 ** 2;

/** Uploads 11 MiB in parts of 5 MiB and gives the bare ETag, which then ends in `-3`. */
export async function uploadInParts(
  client: S3Client,
  bucket: string,
  key: string,
  more: Partial<CreateMultipartUploadCommandInput>,
): Promise<string> {
  const at = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...at, ...more }));
  const sizes = [5 * MIB, 5 * MIB, MIB];
  const parts = await Promise.all(
    sizes.map(async (size, index) => {
      const part = { UploadId, PartNumber: index + 1, Body: Buffer.alloc(size, index + 65) };
      const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand({ ...at, ...part }));
      return { PartNumber: index + 1, ETag, ChecksumCRC32 };
    }),
  );
  await client.send(
    new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: parts } }),
  );
  const { ETag = "" } = await client.send(new HeadObjectCommand(at));
  return ETag.replaceAll('"', "");
}
