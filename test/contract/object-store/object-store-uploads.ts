/** Uploads objects in parts, as the applications did whose objects are to be moved. */

import type { CreateMultipartUploadCommandInput, S3 } from "@aws-sdk/client-s3";

/** Bytes. */
export const MIB = 1024 ** 2;

/** Uploads 11 MiB in parts of 5 MiB and gives the bare ETag, which then ends in `-3`. */
export async function uploadInParts(
  client: S3,
  bucket: string,
  key: string,
  more: Partial<CreateMultipartUploadCommandInput>,
): Promise<string> {
  const at = { Bucket: bucket, Key: key };
  const { UploadId } = await client.createMultipartUpload({ ...at, ...more });
  const sizes = [5 * MIB, 5 * MIB, MIB];
  const parts = await Promise.all(
    sizes.map(async (size, index) => {
      const part = { UploadId, PartNumber: index + 1, Body: Buffer.alloc(size, index + 65) };
      const { ETag, ChecksumCRC32 } = await client.uploadPart({ ...at, ...part });
      return { PartNumber: index + 1, ETag, ChecksumCRC32 };
    }),
  );
  await client.completeMultipartUpload({ ...at, UploadId, MultipartUpload: { Parts: parts } });
  const { ETag = "" } = await client.headObject(at);
  return ETag.replaceAll('"', "");
}
