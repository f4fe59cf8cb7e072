/** The values of columns that name objects, grouped by the prefixes that are exchanged in them. */

import type { ValueForm } from "./key-mapping.ts";

/** Values that one statement may rewrite, with the object that each of them names. */
export interface ChangedValues<Named> {
  readonly form: ValueForm;
  readonly values: ReadonlyMap<string, Named>;
}

/** The values of `objects` in all `forms`, each once: forms with the same prefixes share a group. */
export function valuesByChange<Named extends { readonly key: string }>(
  forms: readonly ValueForm[],
  objects: readonly Named[],
): readonly ChangedValues<Named>[] {
  const groups: { form: ValueForm; values: Map<string, Named> }[] = [];
  const seen = new Set<string>();
  for (const form of forms) {
    const same = groups.find(
      (group) => group.form.change.from === form.change.from && group.form.change.to === form.change.to,
    );
    const group = same ?? { form, values: new Map<string, Named>() };
    for (const object of objects) {
      const value = form.valueOf(object.key);
      if (value === null || seen.has(value)) continue;
      group.values.set(value, object);
      seen.add(value);
    }
    if (same === undefined && group.values.size > 0) groups.push(group);
  }
  return groups;
}
