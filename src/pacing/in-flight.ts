/** How many requests and statements of a job are under way: it is waiting only when none is. */

export class InFlight {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
  }
}
