/** Writes a consignment's manifest to S3: one line `bucket,field` for each copy, in parts where it is large. */

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { NumberedCopy } from "../../ports/copy-engine.ts";
import type { WrittenManifest } from "./consignment-progress.ts";
import { taskField } from "./copy-field.ts";
import { type EngineRequests, throwIfStopped } from "./engine-requests.ts";

export interface ManifestPlace {
  readonly bucket: string;
  readonly key: string;
  readonly partBytes: number;
}

/** S3 does not accept manifests under KMS keys, whatever the bucket's default is. */
const ENCRYPTION = { ServerSideEncryption: "AES256", ContentType: "text/csv" } as const;

/**
 * Writes the manifest of `copies`, with one part of it in memory. Repeating it writes the same bytes and gives the same ETag.
 * Null when `recall` was aborted before the end; nothing is left then.
 */
export async function writeManifest(
  { s3, requests }: { readonly s3: S3Client; readonly requests: EngineRequests },
  place: ManifestPlace,
  copies: AsyncIterable<NumberedCopy>,
  { recall, signal }: { readonly recall: AbortSignal; readonly signal: AbortSignal },
): Promise<WrittenManifest | null> {
  const upload = new ManifestUpload(s3, requests, place, signal);
  const lines: string[] = [];
  let rows = 0;
  let bytes = 0;
  try {
    for await (const copy of copies) {
      throwIfStopped(signal);
      if (recall.aborted) break;
      const line = `${copy.request.source.bucket},${taskField(copy)}\n`;
      lines.push(line);
      rows += 1;
      bytes += line.length;
      if (bytes >= place.partBytes) {
        await upload.addPart(lines.splice(0).join(""));
        bytes = 0;
      }
    }
    if (!recall.aborted) return { key: place.key, rows, etag: await upload.finish(lines.join("")) };
  } catch (error) {
    await upload.abandon();
    throw error;
  }
  await upload.abandon();
  return null;
}

class ManifestUpload {
  readonly #s3: S3Client;
  readonly #requests: EngineRequests;
  readonly #at: { readonly Bucket: string; readonly Key: string };
  readonly #signal: AbortSignal;
  readonly #doing: string;
  #uploadId: string | undefined;
  readonly #parts: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];

  constructor(s3: S3Client, requests: EngineRequests, { bucket, key }: ManifestPlace, signal: AbortSignal) {
    this.#s3 = s3;
    this.#requests = requests;
    this.#at = { Bucket: bucket, Key: key };
    this.#signal = signal;
    this.#doing = `writing the manifest ${bucket}/${key}`;
  }

  async addPart(text: string): Promise<void> {
    this.#uploadId ??= await this.#begin();
    const part = { ...this.#at, UploadId: this.#uploadId, PartNumber: this.#parts.length + 1 };
    const { ETag } = await this.#requests.send(this.#doing, this.#signal, (abortSignal) =>
      this.#s3.send(new UploadPartCommand({ ...part, Body: Buffer.from(text) }), { abortSignal }),
    );
    this.#parts.push({ PartNumber: part.PartNumber, ETag });
  }

  /** Writes the rest and gives the object's ETag. */
  async finish(text: string): Promise<string> {
    if (this.#uploadId === undefined) return this.#put(text);
    if (text !== "") await this.addPart(text);
    const upload = { ...this.#at, UploadId: this.#uploadId, MultipartUpload: { Parts: this.#parts } };
    const { ETag } = await this.#requests.send(this.#doing, this.#signal, (abortSignal) =>
      this.#s3.send(new CompleteMultipartUploadCommand(upload), { abortSignal }),
    );
    return bare(ETag);
  }

  /** Deletes the parts. What a failure of it leaves is the bucket's lifecycle rule's to delete. */
  async abandon(): Promise<void> {
    if (this.#uploadId === undefined) return;
    const upload = { ...this.#at, UploadId: this.#uploadId };
    await this.#s3.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
  }

  async #begin(): Promise<string | undefined> {
    const { UploadId } = await this.#requests.send(this.#doing, this.#signal, (abortSignal) =>
      this.#s3.send(new CreateMultipartUploadCommand({ ...this.#at, ...ENCRYPTION }), { abortSignal }),
    );
    return UploadId;
  }

  async #put(text: string): Promise<string> {
    const { ETag } = await this.#requests.send(this.#doing, this.#signal, (abortSignal) =>
      this.#s3.send(new PutObjectCommand({ ...this.#at, ...ENCRYPTION, Body: Buffer.from(text) }), {
        abortSignal,
      }),
    );
    return bare(ETag);
  }
}

function bare(etag: string | undefined): string {
  return etag?.replaceAll('"', "") ?? "";
}
