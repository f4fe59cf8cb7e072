/** Runs tasks with limited concurrency; when one fails, none is still running when the error is thrown. */

import pLimit from "p-limit";

/**
 * Results in the order of `items`. After a failure no further task begins; those under way are awaited, as their effects
 * must precede the caller's clean-up; then the first error is thrown.
 */
export async function runParallel<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const limit = pLimit(concurrency);
  const results: Result[] = [];
  const errors: unknown[] = [];
  await Promise.all(
    items.map((item, at) =>
      limit(async () => {
        if (errors.length > 0) return;
        try {
          results[at] = await task(item);
        } catch (error) {
          errors.push(error);
        }
      }),
    ),
  );
  if (errors.length > 0) throw errors[0];
  return results;
}
