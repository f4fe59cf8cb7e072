/** Runs tasks a few at once and leaves none behind when one fails. */

import pLimit from "p-limit";

/**
 * Results in the order of `items`. After a failure nothing more begins; what is under way is waited for, because its
 * effects must have happened before the caller cleans up; then the first failure is thrown.
 */
export async function runParallel<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const limit = pLimit(concurrency);
  const results: Result[] = [];
  let failure: { readonly error: unknown } | null = null;
  await Promise.all(
    items.map((item, at) =>
      limit(async () => {
        if (failure !== null) return;
        try {
          results[at] = await task(item);
        } catch (error) {
          failure ??= { error };
        }
      }),
    ),
  );
  throwIfFailed(failure);
  return results;
}

function throwIfFailed(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}
