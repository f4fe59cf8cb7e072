/**
 * What the ledger has of the batches that runners hold, so that a stage's end writes only what is new: rows of new
 * exceptions, and the objects' blob only when a source was overwritten and its newer version adopted.
 */

import type { Batch, BatchObject } from "../../domain/batch.ts";
import { digestOf } from "./digest.ts";

type Objects = readonly BatchObject[];

interface Known {
  readonly facts: string;
  /** Positions of the objects whose exceptions have their rows. */
  readonly excepted: ReadonlySet<number>;
}

/** Remembered by the identity of a batch's list of objects; of an unknown list everything counts as new. */
export class KnownObjects {
  readonly #known = new WeakMap<Objects, Known>();

  /** Notes that the ledger has `objects` exactly as they are now. */
  note(objects: Batch["objects"]): void {
    const excepted = objects.flatMap((object, position) =>
      object.fate.kind === "exception" ? [position] : [],
    );
    this.#known.set(objects, { facts: factsOf(objects), excepted: new Set(excepted) });
  }

  /** Exceptions that may have no row yet. */
  newExceptions(objects: Objects): { position: number; object: BatchObject }[] {
    const excepted = this.#known.get(objects)?.excepted;
    return objects.flatMap((object, position) =>
      object.fate.kind === "exception" && !excepted?.has(position) ? [{ position, object }] : [],
    );
  }

  /** Whether size, ETag or storage class of an object may differ from what the ledger has. */
  factsMayDiffer(objects: Objects): boolean {
    return this.#known.get(objects)?.facts !== factsOf(objects);
  }
}

/** A digest, because a copy of every object in hand would be much. */
function factsOf(objects: Objects): string {
  const facts = objects.map((object) => `${object.size} ${object.storageClass ?? ""} ${object.etag}`);
  return digestOf(facts.join("\n"));
}
