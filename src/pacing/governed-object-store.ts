/** An object store that keeps to the job's limits and the bucket's rate, and repeats what is worth repeating. */

import { hasCode } from "../domain/errors.ts";
import type {
  BucketFacts,
  CopyRequest,
  CopyResult,
  DeleteResult,
  Deletion,
  DeletionTerms,
  ListPage,
  ListRequest,
  ObjectAcl,
  ObjectFacts,
  WritePass,
  WriteProtection,
} from "../ports/object-store.ts";
import { isQuick } from "./answers.ts";
import { begun } from "./begun.ts";
import { chunksUntilStopped } from "./chunks-until-stopped.ts";
import { type Fare, fareBeside, READ } from "./fare.ts";
import type { GovernedParts } from "./governed-parts.ts";
import type { PacedObjectStore } from "./paced-object-store.ts";
import { pauseMsAfter } from "./pause-before.ts";
import { TollGate } from "./toll-gate.ts";

/** What a bucket is asked for its facts: whether it is there, and for its versioning and encryption. */
const FACTS_REQUESTS = 3;

type At = { readonly bucket: string; readonly key: string };

/**
 * Wraps a store for one job. Throttling is waited out for as long as it lasts: it never fails a job.
 * Other passing faults are repeated for 30 s, then thrown as `store_unavailable`.
 */
export class GovernedObjectStore implements PacedObjectStore {
  readonly #parts: GovernedParts;
  readonly #gate: TollGate;

  constructor(parts: GovernedParts) {
    this.#parts = parts;
    this.#gate = new TollGate(parts);
  }

  get endpoint(): string {
    return this.#parts.store.endpoint;
  }

  list(request: ListRequest, signal?: AbortSignal): Promise<ListPage> {
    return this.#repeat(READ, () => this.#parts.store.list(request, signal), signal);
  }

  head(
    at: At,
    options?: { readonly checksums?: boolean },
    signal?: AbortSignal,
  ): Promise<ObjectFacts | null> {
    return this.#repeat(READ, () => this.#parts.store.head(at, options, signal), signal);
  }

  copy(request: CopyRequest, signal?: AbortSignal): Promise<CopyResult> {
    const { source, target } = request;
    const { size } = source;
    const fare = { ...READ, bucket: target.bucket, writes: 1, bytes: size, isQuick: isQuick(size) };
    return this.#copying(target.bucket, fare, signal, (pass) =>
      this.#parts.store.copy(request, signal, pass),
    );
  }

  finishCopy(request: CopyRequest, targetEtag: string, signal?: AbortSignal): Promise<CopyResult> {
    return this.#copying(request.target.bucket, READ, signal, (pass) =>
      this.#parts.store.finishCopy(request, targetEtag, signal, pass),
    );
  }

  /** Waits until `writes` more may go to `bucket`; whoever deletes waits here first and then gathers his evidence. */
  makeRoom(bucket: string, writes: number, signal?: AbortSignal): Promise<void> {
    return this.#gate.payAhead(bucket, writes, signal);
  }

  takeRoom(signal?: AbortSignal): Promise<boolean> {
    return this.#gate.go(signal);
  }

  bulkKeys(bucket: string): number {
    return this.#parts.governorOf(bucket).bulkKeys;
  }

  isOpen(aheadMs = 0): boolean {
    return this.#gate.isOpenFor(aheadMs);
  }

  /**
   * One attempt, without waiting and without repeating: evidence for a deletion grows old while one waits. Throws
   * `store_throttled` or `store_unavailable` when it did not come through; look again before the next attempt.
   */
  deleteObjects(
    bucket: string,
    objects: readonly Deletion[],
    signal?: AbortSignal,
    terms: DeletionTerms = {},
  ): Promise<readonly DeleteResult[]> {
    const count: WritePass = (writes, attempt) => {
      this.#gate.owe(bucket, writes);
      return this.#try({ ...READ, bucket, writes }, attempt);
    };
    const attempt = () => this.#parts.store.deleteObjects(bucket, objects, signal, { ...terms, pass: count });
    return this.#try({ ...READ, bucket, writes: objects.length }, attempt);
  }

  async *read(at: At, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    await this.#gate.pay(READ, signal);
    yield* chunksUntilStopped(this.#parts.store.read(at, signal), signal, (next) => this.#try(READ, next));
  }

  write(at: At, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const fare = { ...READ, bucket: at.bucket, writes: 1, bytes: body.length };
    return this.#repeat(fare, () => this.#parts.store.write(at, body, signal), signal);
  }

  hiddenVersion(bucket: string, object: Deletion, signal?: AbortSignal): Promise<string | null> {
    return this.#repeat(READ, () => this.#parts.store.hiddenVersion(bucket, object, signal), signal);
  }

  protection(): WriteProtection {
    return this.#parts.store.protection();
  }

  acl(at: At, signal?: AbortSignal): Promise<ObjectAcl> {
    return this.#repeat(READ, () => this.#parts.store.acl(at, signal), signal);
  }

  async bucketFacts(bucket: string, signal?: AbortSignal): Promise<BucketFacts> {
    for (let more = 1; more < FACTS_REQUESTS; more += 1) await this.#gate.pay(READ, signal);
    return this.#repeat(READ, () => this.#parts.store.bucketFacts(bucket, signal), signal);
  }

  ping(signal?: AbortSignal): Promise<void> {
    return this.#parts.store.ping(signal);
  }

  /** Pays `fare`; what is written beyond that goes through the pass and pays for itself. */
  #copying(
    bucket: string,
    fare: Fare,
    signal: AbortSignal | undefined,
    send: (pass: WritePass) => Promise<CopyResult>,
  ): Promise<CopyResult> {
    const { inFlight, answers, clock } = this.#parts;
    let passing = 0;
    // While something waits for its turn inside the copy, the copy itself asks nothing of the store.
    const rests = () => {
      inFlight?.end();
      if (fare.isQuick) answers.ended();
    };
    const goesOn = () => {
      inFlight?.begin();
      if (fare.isQuick) answers.asked(clock.now());
    };
    // A copy in parts is under way only while one of its requests is: each counts itself, and may wait at the valve.
    const pass: WritePass = async (writes, attempt, stop, terms = {}) => {
      if (terms.isOwed === true) return this.#gate.beside(bucket, writes, attempt);
      const due = fareBeside(bucket, writes, terms);
      if (passing === 0) rests();
      passing += 1;
      try {
        if (stop === undefined && signal !== undefined) return await this.#cleanUp(due, attempt, signal);
        return await this.#repeat(due, attempt, stop, this.#parts.confirmCopy);
      } finally {
        passing -= 1;
        if (passing === 0) goesOn();
      }
    };
    return this.#repeat(fare, () => send(pass), signal, this.#parts.confirmCopy);
  }

  /** Pays for each attempt, the bytes once, and has it confirmed; repeats the attempt while that is worth it. */
  async #repeat<Result>(
    fare: Fare,
    attempt: () => Promise<Result>,
    signal: AbortSignal | undefined,
    confirm?: () => Promise<void> | null,
  ): Promise<Result> {
    let failingSince: number | null = null;
    let due = fare;
    for (let count = 1; ; count += 1) {
      if (!this.#gate.paysNow(due, signal)) await this.#gate.pay(due, signal);
      try {
        const asked = confirm?.() ?? null;
        if (asked !== null) await asked;
        return await this.#try(fare, attempt);
      } catch (error) {
        due = { ...fare, bytes: 0 };
        failingSince = this.#worthRepeating(error, failingSince, fare);
        const ms = pauseMsAfter(error, count, (this.#parts.random ?? Math.random)());
        if (ms > 0) await this.#gate.paced(() => this.#parts.clock.sleep(ms, signal));
      }
    }
  }

  /** Clean-up that no later attempt would do is not stopped: when `stop` aborts it is tried once more, at once, and not again. */
  async #cleanUp<Result>(fare: Fare, attempt: () => Promise<Result>, stop: AbortSignal): Promise<Result> {
    try {
      return await this.#repeat({ ...fare, cleansUp: true }, attempt, stop, this.#parts.confirmCopy);
    } catch (error) {
      if (!hasCode(error, "stopped")) throw error;
      return this.#try(fare, attempt);
    }
  }

  /** One attempt, whose outcome the bucket's governor learns. */
  #try<Result>({ bucket, writes, isQuick }: Fare, attempt: () => Promise<Result>): Promise<Result> {
    const { clock, answers, inFlight, governorOf, onRequest } = this.#parts;
    const governor = bucket === null ? null : governorOf(bucket);
    const sentAt = clock.now();
    inFlight?.begin();
    if (isQuick) answers.asked(sentAt);
    onRequest?.();
    return begun(attempt).then(
      (result) => {
        const now = clock.now();
        inFlight?.end();
        if (isQuick) answers.ended();
        governor?.succeeded(writes, sentAt, now);
        answers.answered(now);
        return result;
      },
      (error: unknown) => {
        const now = clock.now();
        inFlight?.end();
        if (hasCode(error, "store_throttled")) governor?.throttled(sentAt, now);
        answers.failed(error, now, sentAt);
        if (isQuick) answers.ended();
        throw error;
      },
    );
  }

  /** Since when other troubles than throttling last; throws `error` on when repeating is not worth it (any more). */
  #worthRepeating(error: unknown, failingSince: number | null, { unavailableMs }: Fare): number | null {
    if (hasCode(error, "store_throttled")) return null;
    if (!hasCode(error, "store_unavailable")) throw error;
    const now = this.#parts.clock.now();
    const since = failingSince ?? now;
    if (now - since >= unavailableMs) throw error;
    return since;
  }
}
