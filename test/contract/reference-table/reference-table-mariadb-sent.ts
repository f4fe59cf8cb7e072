/** The statements that a MariaDB reference table sends, and values that stand side by side. */
import { vi } from "vitest";
import { MariadbSessions } from "../../../src/stores/sql/mariadb/mariadb-sessions.ts";

export const pathOf = (index: number) => `image/${String(index).padStart(6, "0")}.png`;
export const VALUES = Array.from({ length: 1200 }, (_, index) => pathOf(index));

export const BY_RANGE = /WHERE \(?r\.`path` BETWEEN '/;
export const BY_LIST = /WHERE r\.`path` IN \(/;

/** What was sent from now on; `change` may send something else, or throw. */
export function listen(change = (sql: string) => sql) {
  const updates: string[] = [];
  const send = MariadbSessions.prototype.update;
  vi.spyOn(MariadbSessions.prototype, "update").mockImplementation(function (
    this: MariadbSessions,
    sqlOf,
    ...more
  ) {
    const noted = () => {
      const sql = sqlOf();
      updates.push(sql);
      return change(sql);
    };
    return send.call(this, noted, ...more);
  });
  const selects = vi.spyOn(MariadbSessions.prototype, "select");
  return {
    updates: () => updates,
    selects: () => selects.mock.calls.map(([sql]) => sql),
    /** The updates, R by range and L by list. */
    ways: () => updates.map((sql) => (BY_RANGE.test(sql) ? "R" : "L")).join(""),
  };
}
