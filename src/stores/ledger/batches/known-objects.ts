/**
 * What the ledger has of the batches that runners hold, so that a stage's end writes only what is new: rows of new
 * exceptions, and the objects' blob only when a source was overwritten and its newer version adopted.
 */

import type { Batch, BatchObject } from "../../../domain/batch.ts";
import { exceptionsIn, type FailedObject } from "./exception-records.ts";

type Objects = readonly BatchObject[];
type Fact = number | string | null;

interface Known {
  readonly facts: readonly Fact[];
  /** Positions of the objects whose exceptions have their rows. */
  readonly failed: ReadonlySet<number>;
}

/** Remembered by the identity of a batch's list of objects; of an unknown list everything counts as new. */
export class KnownObjects {
  readonly #known = new WeakMap<Objects, Known>();

  /** Notes that the ledger has `objects` exactly as they are now. */
  note(objects: Batch["objects"]): void {
    const failed = new Set(exceptionsIn(objects).map(({ position }) => position));
    this.#known.set(objects, { facts: factsOf(objects), failed });
  }

  /** Exceptions that may have no row yet. */
  newExceptions(objects: Objects): FailedObject[] {
    const failed = this.#known.get(objects)?.failed;
    return exceptionsIn(objects).filter(({ position }) => !failed?.has(position));
  }

  /** Whether size, ETag, storage class or time of change of an object may differ from what the ledger has. */
  factsMayDiffer(objects: Objects): boolean {
    const facts = this.#known.get(objects)?.facts;
    return (
      facts === undefined || objects.some((object, position) => differs(object, facts, position * FACTS))
    );
  }
}

/** Facts of one object. */
const FACTS = 4;

/** No copies: the very strings that the objects have, so that they are compared at a glance. */
function factsOf(objects: Objects): Fact[] {
  const facts: Fact[] = [];
  for (const { size, storageClass, etag, modifiedAt } of objects)
    facts.push(size, storageClass, etag, modifiedAt);
  return facts;
}

function differs(object: BatchObject, facts: readonly Fact[], at: number): boolean {
  const { size, storageClass, etag, modifiedAt } = object;
  if (size !== facts[at] || storageClass !== facts[at + 1] || etag !== facts[at + 2]) return true;
  return modifiedAt !== facts[at + 3];
}
