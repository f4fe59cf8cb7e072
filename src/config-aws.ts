/** The section `stores.NAME.aws` of the configuration. */

import { Type } from "typebox";
import { LIST_PRICES } from "./domain/engines/aws-prices.ts";
import { type AwsSection, awsFaults } from "./domain/engines/aws-settings.ts";
import type { Fault } from "./domain/errors.ts";

const closed = { additionalProperties: false } as const;
const Text = Type.Optional(Type.String());
const Price = Type.Optional(Type.Number({ minimum: 0 }));

/** Its shape; what its values mean is checked by {@link awsSectionFaults}. */
export const AwsSectionSchema = Type.Object(
  {
    accountId: Text,
    copyFunction: Text,
    jobRole: Text,
    manifests: Type.Optional(Type.Object({ bucket: Type.String(), prefix: Text }, closed)),
    copyLogs: Text,
    functionTimeoutSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 900 })),
    prices: Type.Optional(
      Type.Object(Object.fromEntries(Object.keys(LIST_PRICES).map((name) => [name, Price])), closed),
    ),
    endpoints: Type.Optional(Type.Object({ s3control: Text, dynamodb: Text, lambda: Text }, closed)),
  },
  closed,
);

/** The faults of the sections of all `stores`. */
export function awsSectionFaults(
  stores: Readonly<Record<string, { readonly region?: string; readonly aws?: AwsSection }>>,
): Fault[] {
  return Object.entries(stores).flatMap(([name, { aws, region }]) =>
    aws === undefined
      ? []
      : awsFaults(aws, region).map((fault) => ({
          ...fault,
          pointer: `/stores/${name}/aws${fault.pointer}`,
        })),
  );
}
