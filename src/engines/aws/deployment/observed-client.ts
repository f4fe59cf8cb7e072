/** `observe`: keeps what an SDK client sends and what it is answered. */

import type { SeenExchange } from "../../../ports/deployment.ts";

/** The part of an SDK client that is used. */
interface ObservableClient {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { readonly input: object }) => Promise<{ readonly output: object }>,
        context: { readonly commandName?: string },
      ) => (args: { readonly input: object }) => Promise<{ readonly output: object }>,
      options: { readonly step: "initialize"; readonly name: string },
    ): void;
  };
}

/** Adds each exchange of `client` to `seen`: input and answer of its commands, which hold no credentials. */
export function observe(client: unknown, service: string, seen: SeenExchange[]): void {
  (client as ObservableClient).middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const operation = `${service}:${commandName.replace(/Command$/, "")}`;
        try {
          const result = await next(args);
          const { $metadata, ...output } = result.output as { $metadata?: { httpStatusCode?: number } };
          seen.push({ operation, input: args.input, status: $metadata?.httpStatusCode ?? null, output });
          return result;
        } catch (error) {
          const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
          const status = $metadata?.httpStatusCode ?? null;
          seen.push({ operation, input: args.input, status, output: { error: name, message } });
          throw error;
        }
      },
    { step: "initialize", name: "observe" },
  );
}
