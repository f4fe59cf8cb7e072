/** AnsweredCopies: the results that an external engine gave for the copies of a consignment, kept compactly until used. */

import type { Batch } from "../domain/batch.ts";
import { copyNumber, placeOfCopy } from "../domain/engines/copy-number.ts";
import type { CopyEngine, NumberedCopy, OnCopyResult } from "../ports/copy-engine.ts";
import type { CopyResult, ObjectFailure } from "../ports/object-store.ts";

/** Bytes of an ETag that is an MD5 in hex. */
const MD5_BYTES = 16;
const MD5 = /^[0-9a-f]{32}$/;

/** The copies of one batch: by index, whether made, and the ETag of the new object. */
interface BatchAnswers {
  made: Uint8Array;
  etags: Buffer;
}

/**
 * About 17 bytes a copy, for a million copies may be answered before the first batch is taken in. The first result of each
 * number counts. Only `copied` and `failed` are kept: after any other the objects are checked again, as after none.
 */
export class AnsweredCopies {
  readonly #batches = new Map<number, BatchAnswers>();
  /** ETags of another form, by number. */
  readonly #otherEtags = new Map<number, string>();
  readonly #failures = new Map<number, ObjectFailure>();

  /** Takes the result of the copy `number`. */
  note(number: number, result: CopyResult): void {
    if (result.kind === "failed" && !this.isMade(number)) this.#failures.set(number, result.failure);
    if (result.kind === "copied" && !this.#failures.has(number)) this.#noteMade(number, result.etag);
  }

  /** Whether the copy `number` was answered for good. */
  isAnswered(number: number): boolean {
    return this.isMade(number) || this.#failures.has(number);
  }

  isMade(number: number): boolean {
    const { seq, index } = placeOfCopy(number);
    return this.#batches.get(seq)?.made[index] === 1;
  }

  /** The ETag of the new object; null when the copy was not made. */
  etagOf(number: number): string | null {
    if (!this.isMade(number)) return null;
    const { seq, index } = placeOfCopy(number);
    const at = index * MD5_BYTES;
    const known =
      this.#batches
        .get(seq)
        ?.etags.subarray(at, at + MD5_BYTES)
        .toString("hex") ?? "";
    return this.#otherEtags.get(number) ?? known;
  }

  failureOf(number: number): ObjectFailure | null {
    return this.#failures.get(number) ?? null;
  }

  /** Drops what is known of batch `seq`. */
  forget(seq: number): void {
    this.#batches.delete(seq);
  }

  #noteMade(number: number, etag: string): void {
    if (this.isMade(number)) return;
    const { seq, index } = placeOfCopy(number);
    const answers = this.#batches.get(seq) ?? { made: new Uint8Array(0), etags: Buffer.alloc(0) };
    if (index >= answers.made.length) grow(answers, index + 1);
    answers.made[index] = 1;
    if (MD5.test(etag)) answers.etags.write(etag, index * MD5_BYTES, "hex");
    else this.#otherEtags.set(number, etag);
    this.#batches.set(seq, answers);
  }
}

function grow(answers: BatchAnswers, least: number): void {
  const length = Math.max(least, answers.made.length * 2, 64);
  const made = new Uint8Array(length);
  made.set(answers.made);
  const etags = Buffer.alloc(length * MD5_BYTES);
  answers.etags.copy(etags);
  Object.assign(answers, { made, etags });
}

/**
 * The engine with which a batch is taken in: gives the failures that the external engine has reported, and lets `service`
 * make all other copies that are still missing.
 */
export function takeInEngine(batch: Batch, answers: AnsweredCopies, service: CopyEngine): CopyEngine {
  const failures = new Map<string, ObjectFailure>();
  for (const [index, { key }] of batch.objects.entries()) {
    const failure = answers.failureOf(copyNumber(batch.seq, index));
    if (failure !== null) failures.set(key, failure);
  }
  return {
    async copy(requests, onResult: OnCopyResult, signal) {
      const open: NumberedCopy[] = [];
      for (const copy of requests) {
        const failure = failures.get(copy.request.source.key);
        if (failure === undefined) open.push(copy);
        else await onResult(copy.number, { kind: "failed", failure });
      }
      if (open.length > 0) await service.copy(open, onResult, signal);
    },
  };
}

/**
 * Records in `batch` the ETags of copies that differ from their sources' (KMS, multipart): they prove that the object at the
 * new key is this job's. An equal ETag proves it without.
 */
export function noteOddEtags(batch: Batch, answers: AnsweredCopies): void {
  for (const [index, object] of batch.objects.entries()) {
    const etag = answers.etagOf(copyNumber(batch.seq, index));
    if (etag !== null && etag !== object.etag && object.targetEtag === null) object.targetEtag = etag;
  }
}
