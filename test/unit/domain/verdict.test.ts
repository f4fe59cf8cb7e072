/** The truth tables of the decisions that can lose data, cell by cell. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Checksum,
  checksumVerdict,
  copyVerdict,
  type DeleteEvidence,
  deleteVerdict,
  looksIdentical,
  matchVerdict,
} from "../../../src/domain/verdict.ts";

const source = { size: 10, etag: "aaa" };
const identical = { size: 10, etag: "aaa" };
const otherBytes = { size: 10, etag: "bbb" };
const otherSize = { size: 11, etag: "aaa" };

describe("whether an object must be copied", () => {
  const copy = { copy: true };
  const there = { copy: false, because: "already_there" };
  const same = { copy: false, because: "target_exists", identical: true };
  const different = { copy: false, because: "target_exists", identical: false };
  const newer = { copy: false, because: "target_changed" };
  const nobodys = { isOwnCopy: false, wasCopiedBefore: false };
  const own = { isOwnCopy: true, wasCopiedBefore: true };
  const unrecorded = { isOwnCopy: true, wasCopiedBefore: false };
  const replaced = { isOwnCopy: false, wasCopiedBefore: true };
  it.each([
    ["absent", null, "fail", nobodys, copy],
    ["absent", null, "fail", replaced, copy],
    ["absent", null, "skip-identical", nobodys, copy],
    ["absent", null, "overwrite", nobodys, copy],
    ["our own", identical, "fail", own, there],
    ["our own with another ETag", otherBytes, "fail", own, there],
    ["our own, cut off before it was recorded", identical, "fail", unrecorded, there],
    ["our own", otherBytes, "skip-identical", own, there],
    ["our own", otherBytes, "overwrite", own, there],
    ["identical", identical, "fail", nobodys, same],
    ["identical", identical, "skip-identical", nobodys, there],
    ["identical", identical, "overwrite", nobodys, copy],
    ["of other bytes", otherBytes, "fail", nobodys, different],
    ["of other bytes", otherBytes, "skip-identical", nobodys, different],
    ["of other bytes", otherBytes, "overwrite", nobodys, copy],
    ["of another size", otherSize, "fail", nobodys, different],
    ["of another size", otherSize, "skip-identical", nobodys, different],
    ["of another size", otherSize, "overwrite", nobodys, copy],
    ["not our copy any more", otherBytes, "fail", replaced, newer],
    ["not our copy any more", otherBytes, "skip-identical", replaced, newer],
    ["not our copy any more", otherBytes, "overwrite", replaced, newer],
  ] as const)(
    "when the target is %s (%j) and the policy %s, given %j",
    (_, target, policy, history, verdict) => {
      expect(copyVerdict(source, target, policy, history)).toMatchObject(verdict);
    },
  );
});

describe("looking identical", () => {
  it("needs equal sizes and equal ETags, and an ETag at all", () => {
    expect(looksIdentical(source, identical)).toBe(true);
    expect(looksIdentical(source, otherBytes)).toBe(false);
    expect(looksIdentical(source, otherSize)).toBe(false);
    expect(looksIdentical({ size: 10, etag: "" }, { size: 10, etag: "" })).toBe(false);
  });
});

describe("whether a copy is the same as its source", () => {
  it.each([
    ["size", otherSize, "different"],
    ["etag", otherSize, "different"],
    ["checksum", otherSize, "different"],
    ["size", otherBytes, "same"],
    ["size", identical, "same"],
    ["etag", identical, "same"],
    ["etag", otherBytes, "ask_checksums"],
    ["checksum", identical, "ask_checksums"],
    ["checksum", otherBytes, "ask_checksums"],
  ] as const)("by %s, with a target %j: %s", (by, target, verdict) => {
    expect(matchVerdict(source, target, by)).toBe(verdict);
  });
});

describe("stored checksums", () => {
  const full = (value: string, algorithm = "CRC64NVME"): Checksum => ({
    algorithm,
    type: "FULL_OBJECT",
    value,
  });
  const parts = (value: string): Checksum => ({ algorithm: "CRC32", type: "COMPOSITE", value });
  it.each([
    ["equal whole-object values prove it", [full("x")], [full("x")], "same"],
    ["unequal whole-object values disprove it", [full("x")], [full("y")], "different"],
    ["none on one side says nothing", [full("x")], [], "unverifiable"],
    ["none on both sides says nothing", [], [], "unverifiable"],
    [
      "different algorithms say nothing, even with one value",
      [full("x", "SHA1")],
      [full("x")],
      "unverifiable",
    ],
    ["composite values say nothing, even when they are equal", [parts("x")], [parts("x")], "unverifiable"],
    [
      "a composite beside a whole one does not count",
      [parts("x"), full("y")],
      [parts("x"), full("z")],
      "different",
    ],
    [
      "one whole and one composite say nothing",
      [{ ...full("x"), algorithm: "CRC32" }],
      [parts("x")],
      "unverifiable",
    ],
  ] as const)("%s", (_, a, b, verdict) => {
    expect(checksumVerdict(a, b)).toBe(verdict);
    expect(checksumVerdict(b, a)).toBe(verdict);
  });
});

describe("whether a source may be deleted", () => {
  const AT = 1_790_000_000_000;
  const planned = { ...source, modifiedAt: AT };
  const copy = { size: 10, etag: "ttt", modifiedAt: AT + 500 };
  const good: DeleteEvidence = {
    copied: planned,
    verifiedEtag: "ttt",
    sourceNow: planned,
    targetNow: copy,
    isStillNamed: false,
  };
  const keep = (code: string) => ({ act: "keep", code });
  it.each([
    ["all is well", {}, { act: "delete" }],
    ["the copy was never verified", { verifiedEtag: null }, keep("unverifiable")],
    ["never verified and the source is gone", { verifiedEtag: null, sourceNow: null }, keep("unverifiable")],
    ["the target is not there", { targetNow: null }, keep("target_lost")],
    ["target and source are both not there", { targetNow: null, sourceNow: null }, keep("target_lost")],
    ["the target has another ETag", { targetNow: { ...copy, etag: "uuu" } }, keep("target_changed")],
    ["the target has another size", { targetNow: { ...copy, size: 9 } }, keep("target_changed")],
    ["one row names the old key", { isStillNamed: true }, keep("still_referenced")],
    [
      "a row names the old key of a gone source: the row is to be healed, not the source to be kept",
      { isStillNamed: true, sourceNow: null },
      { act: "already_gone" },
    ],
    ["the source is gone", { sourceNow: null }, { act: "already_gone" }],
    ["the source has another ETag", { sourceNow: { ...planned, etag: "zzz" } }, keep("source_changed")],
    ["the source has another size", { sourceNow: { ...planned, size: 12 } }, keep("source_changed")],
    [
      "the source was changed in place, under the same ETag, after it was planned",
      { sourceNow: { ...planned, modifiedAt: AT + 60_000 } },
      keep("source_changed"),
    ],
    [
      "the source was changed in place a second before the copy was made",
      { sourceNow: { ...planned, modifiedAt: AT + 60_000 }, targetNow: { ...copy, modifiedAt: AT + 61_000 } },
      keep("source_changed"),
    ],
    [
      "the source was changed in place, and the copy is younger: the copy may have been modified since",
      { sourceNow: { ...planned, modifiedAt: AT + 60_000 }, targetNow: { ...copy, modifiedAt: AT + 90_000 } },
      keep("source_changed"),
    ],
    [
      "a look tells the time to the second only",
      { copied: { ...planned, modifiedAt: AT + 999 }, sourceNow: { ...planned, modifiedAt: AT } },
      { act: "delete" },
    ],
    [
      "the time of change was not recorded and is not before the copy's",
      { copied: { ...planned, modifiedAt: null } },
      keep("source_changed"),
    ],
    [
      "the time of change was not recorded and is two seconds before the copy's",
      { copied: { ...planned, modifiedAt: null }, targetNow: { ...copy, modifiedAt: AT + 2_000 } },
      { act: "delete" },
    ],
  ] as const)("when %s", (_, change, verdict) => {
    expect(deleteVerdict({ ...good, ...change })).toEqual(verdict);
  });

  it("is answered with yes only for evidence that is good in every point", () => {
    const etags = fc.constantFrom("aaa", "ttt", "");
    const modifiedAt = fc.constantFrom(AT, AT + 999, AT + 1_000, AT + 3_000);
    const seen = fc.option(fc.record({ size: fc.constantFrom(0, 10), etag: etags, modifiedAt }), {
      nil: null,
    });
    const evidence = fc.record({
      copied: fc.constant(planned),
      verifiedEtag: fc.option(etags, { nil: null }),
      sourceNow: seen,
      targetNow: seen,
      isStillNamed: fc.boolean(),
    });
    fc.assert(
      fc.property(evidence, (e) => {
        if (deleteVerdict(e).act !== "delete") return;
        expect(e.sourceNow).toMatchObject(source);
        expect(e.targetNow).toMatchObject({ size: 10, etag: e.verifiedEtag });
        expect(e.sourceNow?.modifiedAt).toBeLessThan(AT + 1000);
        expect(e.isStillNamed).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
