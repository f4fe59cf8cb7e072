/** Merging a bucket's notification configuration: what others have written survives byte for byte, or nothing is written. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { filterValue, overlap } from "../../../src/engines/aws/deployment/notification-entries.ts";
import {
  COPY_EVENTS,
  lostEntries,
  planNotification,
} from "../../../src/engines/aws/deployment/plan-notification.ts";

const QUEUE = "arn:aws:sqs:eu-central-1:123456789012:tranship-copied";
const WANTED = { queue: QUEUE, prefix: "avatar/" };
const NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const root = (content: string) =>
  `<?xml version="1.0"?>\n<NotificationConfiguration ${NS}>${content}</NotificationConfiguration>`;

function queueEntry(id: string, events: readonly string[], prefix: string, queue = `${QUEUE}-other`): string {
  const told = events.map((event) => `<Event>${event}</Event>`).join("");
  return `<QueueConfiguration><Id>${id}</Id><Queue>${queue}</Queue>${told}<Filter><S3Key><FilterRule><Name>Prefix</Name><Value>${prefix}</Value></FilterRule></S3Key></Filter></QueueConfiguration>`;
}

/** Entries of others, in all spellings; those of `ObjectRemoved` never overlap. */
const space = fc.constantFrom("", " ", "\n  ");
const words = fc.stringMatching(/^[a-z%+&;.*-]{0,6}$/).map((text) => text.replaceAll("&", "&amp;"));
const foreign = fc
  .record({
    kind: fc.constantFrom("Topic", "Queue", "CloudFunction", "Novelty"),
    id: words,
    to: words,
    prefix: words,
    suffix: words,
    gap: space,
    unknown: fc.constantFrom("", '<Novel deep="1"><Thing/></Novel>'),
    event: fc.constantFrom("s3:ObjectRemoved:*", "s3:ObjectTagging:Put", "s3:ObjectCreated:Put"),
  })
  .map(({ kind, id, to, prefix, suffix, gap, unknown, event }) =>
    [
      `<${kind}Configuration>`,
      `<Filter><S3Key><FilterRule><Name>Prefix</Name><Value>${prefix}</Value></FilterRule>`,
      `<FilterRule><Name>suffix</Name><Value>${suffix}</Value></FilterRule></S3Key></Filter>`,
      `<Id>${id}</Id><${kind}>${to}</${kind}>${unknown}<Event>${event}</Event></${kind}Configuration>`,
    ].join(gap),
  );
const bridge = fc.constantFrom(
  "",
  "<EventBridgeConfiguration/>",
  "<EventBridgeConfiguration></EventBridgeConfiguration>",
);
const configuration = fc.tuple(fc.array(foreign, { maxLength: 6 }), bridge, space);

describe("entries of others", () => {
  it("survive byte for byte and in their order", () => {
    fc.assert(
      fc.property(configuration, fc.string({ maxLength: 8 }), ([entries, last, gap], prefix) => {
        const before = root(gap + entries.join(gap) + gap + last);
        const plan = planNotification(before, { queue: QUEUE, prefix });
        if (plan.kind !== "change") throw new Error(plan.kind);
        expect(plan.text.replace(plan.added, "")).toBe(before);
        expect(lostEntries(before, plan, plan.text)).toEqual([]);
        expect(plan.others).toBe(entries.length + (last === "" ? 0 : 1));
      }),
    );
  });

  it("are kept by the second merge too, which changes nothing", () => {
    fc.assert(
      fc.property(configuration, ([entries, last]) => {
        const plan = planNotification(root(entries.join("") + last), WANTED);
        expect(plan.kind === "change" && planNotification(plan.text, WANTED).kind).toBe("wired");
      }),
    );
  });

  it("that are missing afterwards are found, a lost twin among them", () => {
    const [a, b] = [
      queueEntry("a", ["s3:ObjectRemoved:*"], "x"),
      queueEntry("b", ["s3:ObjectRemoved:*"], "y"),
    ];
    const plan = planNotification(root(a + b + a), WANTED);
    expect(lostEntries(root(a + b + a), plan, root(a + b))).toEqual([a]);
    expect(lostEntries(root(a + b + a), plan, root(a.replace("x", "X") + b + a))).toEqual([a]);
    expect(lostEntries(root(a + b), plan, "")).toEqual([a, b]);
  });
});

describe("overlapping entries", () => {
  const events = fc.subarray(
    ["s3:ObjectCreated:*", "s3:ObjectCreated:Copy", "s3:ObjectCreated:Put", "s3:ObjectRemoved:Delete"],
    { minLength: 1 },
  );
  const filter = fc.stringMatching(/^[ab]{0,3}$/);
  const entry = fc.record({ events, prefix: filter, suffix: filter });
  const keys = ["", "a", "b"].flatMap((one) => ["a", "b", ""].map((two) => one + two));
  const KEYS = keys.flatMap((one) => keys.flatMap((two) => keys.map((three) => one + two + three)));
  const NAMES = ["Copy", "Put", "Post"]
    .map((name) => `s3:ObjectCreated:${name}`)
    .concat("s3:ObjectRemoved:Delete");

  type Filters = { readonly events: readonly string[]; readonly prefix: string; readonly suffix: string };
  const matches = ({ events, prefix, suffix }: Filters, event: string, key: string) =>
    events.some((one) => one === event || (one === "s3:ObjectCreated:*" && event.includes("Created"))) &&
    key.startsWith(prefix) &&
    key.endsWith(suffix);

  it("are those for which some event of some key has two destinations", () => {
    fc.assert(
      fc.property(entry, entry, (a, b) => {
        const shared = NAMES.some((event) =>
          KEYS.some((key) => matches(a, event, key) && matches(b, event, key)),
        );
        expect(overlap(a, b)).toBe(shared);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["all events under the prefix", ["s3:ObjectCreated:*"], "avatar/"],
    ["copies under a wider prefix", ["s3:ObjectCreated:Copy"], "av"],
    ["copies under a narrower prefix", ["s3:ObjectCreated:Copy"], "avatar/new/"],
    ["completed uploads of all keys", ["s3:ObjectCreated:CompleteMultipartUpload"], ""],
    ["copies under the prefix, encoded otherwise", ["s3:ObjectCreated:Copy"], "avatar%2F"],
  ])("are refused with the reason: %s", (_, events, prefix) => {
    const plan = planNotification(root(queueEntry("theirs", events, prefix)), WANTED);
    expect(plan).toMatchObject({ kind: "refused" });
    expect(JSON.stringify(plan)).toContain("entry theirs tells arn:aws:sqs:");
  });

  it("of others are refused also where they go to the same queue, unless they tell it all", () => {
    const theirs = queueEntry("by-hand", ["s3:ObjectCreated:Copy"], "avatar/", QUEUE);
    expect(planNotification(root(theirs), WANTED).kind).toBe("refused");
    const all = queueEntry("by-hand", ["s3:ObjectCreated:*"], "ava", QUEUE);
    expect(planNotification(root(all), WANTED)).toEqual({ kind: "wired", others: 0 });
  });

  it("of this program are replaced", () => {
    const old = queueEntry("tranship-1", COPY_EVENTS, "avatar/new/", QUEUE);
    const theirs = queueEntry("theirs", ["s3:ObjectRemoved:*"], "");
    const plan = planNotification(root(old + theirs), WANTED);
    expect(plan).toMatchObject({ kind: "change", replaced: [old], others: 1 });
    expect(plan.kind === "change" && plan.text).not.toContain("avatar/new/");
    expect(plan.kind === "change" && plan.text).toContain(theirs);
    expect(lostEntries(root(old + theirs), plan, plan.kind === "change" ? plan.text : "")).toEqual([]);
  });

  it("are no obstacle under another prefix, with an id of its own", () => {
    const own = queueEntry("tranship-1", COPY_EVENTS, "other/", QUEUE);
    const plan = planNotification(root(own), WANTED);
    expect(plan).toMatchObject({ kind: "change", replaced: [], others: 1 });
    expect(plan.kind === "change" && plan.added).toContain("<Id>tranship-2</Id>");
  });
});

describe("the document", () => {
  it.each([
    "",
    `<NotificationConfiguration ${NS}/>`,
    `<NotificationConfiguration ${NS}></NotificationConfiguration>`,
  ])("%j without entries takes one", (xml) => {
    const plan = planNotification(xml, WANTED);
    expect(plan.kind === "change" && plan.text).toBe(
      `<NotificationConfiguration ${NS}>${plan.kind === "change" ? plan.added : ""}</NotificationConfiguration>`,
    );
  });

  it.each(["<html>no</html>", root("text"), root("<QueueConfiguration>"), "{}"])(
    "%j is not understood and so not replaced",
    (xml) => {
      expect(planNotification(xml, WANTED).kind).toBe("refused");
    },
  );

  it("encodes the prefix as S3 asks for it, and XML", () => {
    expect(filterValue("a b/ü&+/")).toBe("a+b/%C3%BC%26%2B/");
    const plan = planNotification("", { queue: QUEUE, prefix: "a'b/" });
    expect(plan.kind === "change" && plan.added).toContain("<Value>a&apos;b/</Value>");
  });

  it("stands with its own kind, between topics and functions", () => {
    const topic = "<TopicConfiguration><Id>t</Id></TopicConfiguration>";
    const fn = "<CloudFunctionConfiguration><Id>f</Id></CloudFunctionConfiguration>";
    const plan = planNotification(root(topic + fn), WANTED);
    expect(plan.kind === "change" && plan.text).toBe(
      root(topic + (plan.kind === "change" ? plan.added : "") + fn),
    );
  });
});
