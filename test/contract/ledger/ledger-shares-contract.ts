/** How a ledger keeps the entries of processes about a limit: none is lost, however many write at the same time. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ShareEntry } from "../../../src/domain/rates/store-shares.ts";
import type { Ledger } from "../../../src/ports/ledger.ts";
import type { LedgerPlace } from "./ledger-fixtures.ts";

const share = (owner: string, beat = 0): ShareEntry => ({ owner, jobs: 1, share: 0.25, beat });

async function sharesOf(ledger: Ledger, store: string): Promise<readonly ShareEntry[]> {
  let read: readonly ShareEntry[] = [];
  await ledger.reviseShares(store, (shares) => {
    read = shares;
    return shares;
  });
  return read;
}

export function sharesContract(newPlace: () => Promise<LedgerPlace>): void {
  describe("shares of a store", () => {
    let place: LedgerPlace;
    beforeAll(async () => {
      place = await newPlace();
    });
    afterAll(() => place.dispose());

    test("are none at first, then what was written last, for each limit its own", async () => {
      const ledger = await place.open();
      expect(await sharesOf(ledger, "main")).toEqual([]);
      await ledger.reviseShares("main", () => [share("a"), share("b", 7)]);
      await ledger.reviseShares("Main", () => [share("c")]);
      expect(await sharesOf(ledger, "main")).toEqual([share("a"), share("b", 7)]);
      expect(await sharesOf(ledger, "Main")).toEqual([share("c")]);
    });

    test("that several write at the same moment are all kept", async () => {
      const ledgers = await Promise.all([1, 2, 3].map(() => place.open()));
      const write = async (ledger: Ledger, index: number) => {
        for (let beat = 1; beat <= 5; beat += 1) {
          await ledger.reviseShares("busy", (shares) => {
            const mine = shares.find(({ owner }) => owner === `${index}`);
            expect(mine?.beat ?? 0).toBe(beat - 1);
            return [...shares.filter((other) => other !== mine), share(`${index}`, beat)];
          });
        }
      };
      await Promise.all(ledgers.map(write));
      const owners = (await sharesOf(await place.open(), "busy")).toSorted((a, b) =>
        a.owner < b.owner ? -1 : 1,
      );
      expect(owners).toEqual([share("0", 5), share("1", 5), share("2", 5)]);
    });
  });
}
