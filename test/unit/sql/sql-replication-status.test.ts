/** The lag in what MariaDB and MySQL answer to SHOW REPLICA STATUS and its older names. */

import { describe, expect, it } from "vitest";
import { worstLagSeconds } from "../../../src/stores/sql/mariadb/replication-status.ts";

const INFINITE = Number.POSITIVE_INFINITY;

describe("the worst lag", () => {
  it.each([
    ["of no channel at all", [], null],
    ["by MariaDB's name", [{ Connection_name: "", Seconds_Behind_Master: 7 }], 7],
    ["by MySQL's name since 8.0.22", [{ Channel_Name: "", Seconds_Behind_Source: 7 }], 7],
    ["as text", [{ Seconds_Behind_Source: "12" }], 12],
    ["of none", [{ Seconds_Behind_Master: 0 }], 0],
    ["of a stopped MariaDB", [{ Seconds_Behind_Master: null }], INFINITE],
    ["of a stopped MySQL", [{ Seconds_Behind_Source: null }], INFINITE],
    ["under a name that nobody knows yet", [{ Seconds_Behind_Leader: 0 }], INFINITE],
    ["that is no number", [{ Seconds_Behind_Source: "" }], INFINITE],
    ["before the clocks agree", [{ Seconds_Behind_Master: -1 }], 0],
    ["of several channels", [{ Seconds_Behind_Source: 3 }, { Seconds_Behind_Source: 9 }], 9],
    ["of several, one stopped", [{ Seconds_Behind_Source: 3 }, { Seconds_Behind_Source: null }], INFINITE],
  ])("%s", (_, rows, lag) => {
    expect(worstLagSeconds(rows)).toBe(lag);
  });
});
