/** The copies of a batch that an external engine is asked for. */

import { type Batch, pending } from "../domain/batch.ts";
import { copyNumber } from "../domain/engines/copy-number.ts";
import type { NumberedCopy } from "../ports/copy-engine.ts";
import { type Candidate, candidates, refuse } from "./copy-candidates.ts";
import { ABSENT, copyRequest, type Expected } from "./copy-request.ts";
import { refuseImpossibleKey } from "./impossible-keys.ts";
import { verdictOn } from "./own-copy.ts";
import type { CopyContext } from "./stage-contexts.ts";

/**
 * The copies of the pending objects of `batch` that are not at the target. Each replaces nothing, or exactly the object that
 * stands at the new key now. Objects that may not be copied become exceptions, to be recorded by the caller; what needs no
 * copy stays pending, and is recognised when the batch is taken in. `repeated`: an earlier attempt may have copied some.
 */
export async function copiesToSend(
  context: CopyContext,
  batch: Batch,
  repeated: boolean,
): Promise<NumberedCopy[]> {
  for (const object of pending(batch)) refuseImpossibleKey(context, object);
  const places = new Map(batch.objects.map((object, index) => [object, index]));
  const copies: NumberedCopy[] = [];
  const add = ({ object, version }: Candidate, expected: Expected) => {
    const number = copyNumber(batch.seq, places.get(object) ?? 0);
    copies.push({ number, request: copyRequest(context, version, expected) });
  };
  await context.concurrency.each(await candidates(context, batch, repeated), async (candidate) => {
    const { object, version, target, mayBeOurs } = candidate;
    if (target === null) {
      add(candidate, ABSENT);
      return;
    }
    // Recorded as this job's copy: whether the source has changed since is checked when the batch is taken in.
    if (target.etag === object.targetEtag) return;
    const verdict = await verdictOn(context, version, target, mayBeOurs);
    if (verdict.copy) add(candidate, { onlyIfAbsent: false, replacing: target.etag });
    else if (verdict.because !== "already_there") refuse(candidate, verdict);
  });
  return copies;
}

/** All copies of `batch` that may have been asked for, without a look at the target. */
export function copiesAskedFor(context: Pick<CopyContext, "relocation">, batch: Batch): NumberedCopy[] {
  return batch.objects.flatMap((object, index) =>
    object.etag === "" || object.outcome.kind === "exception"
      ? []
      : [{ number: copyNumber(batch.seq, index), request: copyRequest(context, object, ABSENT) }],
  );
}
