/** Parts of a port or context that a test gives; whatever else is used fails the test. */

/** `given` as a whole `Whole`, of which any other member throws when it is read. */
export function only<Whole extends object>(given: Partial<Whole>): Whole {
  return new Proxy(given, {
    get(target, name, receiver) {
      if (typeof name === "symbol" || name === "then" || name in target)
        return Reflect.get(target, name, receiver);
      throw new Error(`the test does not expect the use of ${name}`);
    },
  }) as Whole;
}
