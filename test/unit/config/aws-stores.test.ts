/** What connections tell engines on AWS of the configured stores. */

import { expect, it } from "vitest";
import { openConnections } from "../../../src/stores/open-connections.ts";

const AWS = {
  accountId: "123456789012",
  copyFunction: "arn:aws:lambda:eu-central-1:123456789012:function:tranship-copy:7",
  jobRole: "arn:aws:iam::123456789012:role/tranship-batch",
  manifests: { bucket: "ops" },
};
const connections = openConnections({
  stores: {
    plain: {},
    vpc: { endpoint: "https://bucket.vpce-1.s3.eu-central-1.vpce.amazonaws.com", aws: AWS },
    ceph: { endpoint: "http://ceph.internal:7480", aws: { prices: { copyMillion: 0 } } },
  },
  databases: {},
});

it("is whether they are AWS, their settings, and their own prices", () => {
  expect(connections.awsOf("plain")).toEqual({ isAws: true, settings: null, prices: null });
  expect(connections.awsOf("vpc")).toMatchObject({ isAws: true, prices: {} });
  expect(connections.awsOf("vpc").settings).toMatchObject({ ...AWS, manifests: { prefix: "tranship/" } });
  expect(connections.awsOf("ceph")).toEqual({ isAws: false, settings: null, prices: { copyMillion: 0 } });
});

it.each(["other", "toString"])("is nothing of a store %j that is not configured", (name) => {
  expect(() => connections.awsOf(name)).toThrow(/unknown store .*configured are: plain, vpc, ceph/);
});
