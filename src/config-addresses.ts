/** Addresses of databases in the configuration: SQLite files, URLs, and objects. */

import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { Fault } from "./domain/errors.ts";

const Server = Type.Object(
  {
    host: Type.String({ minLength: 1 }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    user: Type.String({ minLength: 1 }),
    password: Type.Optional(Type.String()),
    database: Type.String({ minLength: 1 }),
    tls: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const checked = Compile(Server);

/** `sqlite:FILE`, `mysql://…`, or a server's parts. */
export type AddressConfig = string | Static<typeof Server>;

/** `given` as an address; a port from the environment is converted from digits to a number. */
export function readAddress(given: unknown): unknown {
  if (given === null || typeof given !== "object" || !("port" in given)) return given;
  const { port } = given;
  return typeof port === "string" && /^\d{1,5}$/.test(port) ? { ...given, port: Number(port) } : given;
}

/** The faults of an address at `pointer`; an object gets the faults of the object form only. */
export function addressFaults(
  address: unknown,
  pointer: string,
  { files = true }: { readonly files?: boolean } = {},
): Fault[] {
  if (address === undefined) return [];
  if (typeof address === "string") {
    const forms = files ? /^(sqlite:.+|mysql:\/\/.+)$/s : /^mysql:\/\/.+$/s;
    if (forms.test(address)) return [];
    const message = `must be ${files ? "sqlite:FILE, " : ""}mysql://user:password@host:port/database or an object`;
    return [{ pointer, message }];
  }
  return checked.Errors(address).map((error) => ({
    pointer: pointer + error.instancePath,
    message: error.message,
  }));
}
