/** Recalls: which recalls of consignments the external engine has confirmed in one run. */

import { hasCode, messageOf } from "../domain/errors.ts";

/** What one run knows of its recalls. */
export class Recalls {
  readonly #confirmed = new Set<number>();
  #failure: string | null = null;

  /** No further copy of consignment `id` begins. */
  confirm(id: number): void {
    this.#confirmed.add(id);
  }

  isConfirmed(id: number): boolean {
    return this.#confirmed.has(id);
  }

  /** Why the engine could not be told, for display; null: it has not answered. */
  get failure(): string | null {
    return this.#failure;
  }

  failed(error: unknown): void {
    if (!hasCode(error, "stopped")) this.#failure = messageOf(error);
  }
}
