/** Preflight says that changes of tags are not watched, where objects have any. */

import { expect, it } from "vitest";
import { openWorkbench } from "../../support/worlds/workbench.ts";

it.each([
  ["that has tags", { kind: "film" }, "verified", ["image/a"]],
  ["without tags", {}, "verified", []],
  ["whose source stays", { kind: "film" }, "never", []],
])("an object %s", async (_, tags, when, named) => {
  const bench = await openWorkbench();
  try {
    bench.store.putObject("bucket-a", "image/a", "body", { tags });
    const job = {
      source: { bucket: "bucket-a", prefix: "image/" },
      target: { bucket: "bucket-b", prefix: "avatar/" },
      delete: { when },
    };
    const { problems } = await bench.jobs.preflight(job, { canary: false });
    const told = problems.filter(({ code }) => code === "tags_not_watched");
    expect(told.flatMap(({ examples }) => examples)).toEqual(named);
  } finally {
    await bench.close();
  }
});
