/** Begins something that may be forbidden at once, so that either way its end is a promise. */

/** What is forbidden before it begins has failed as well. */
export function begun<Result>(attempt: () => Promise<Result>): Promise<Result> {
  try {
    return attempt();
  } catch (error) {
    return Promise.reject(error);
  }
}
