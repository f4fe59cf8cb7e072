/** List prices of AWS, the only table of them; a store's `aws.prices` replaces single ones. Source: docs/aws/choosing.md. */

/** US dollars. "Million" is a million of the thing named, whatever unit AWS lists it in. */
export interface AwsPrices {
  /** COPY, PUT and POST requests, S3 Standard. */
  readonly copyMillion: number;
  readonly listMillion: number;
  /** GET and HEAD requests, S3 Standard. */
  readonly headMillion: number;
  /** One S3 Batch Operations job. */
  readonly batchJob: number;
  /** Objects that Batch Operations works through. */
  readonly batchObjectMillion: number;
  readonly invocationMillion: number;
  /** Lambda on arm64, one second with 1 GB of memory. */
  readonly gbSecond: number;
  /** DynamoDB on demand, write request units. */
  readonly tableWriteMillion: number;
  /** DynamoDB on demand, read request units. */
  readonly tableReadMillion: number;
  /** SQS, requests to a standard queue. */
  readonly queueMillion: number;
}

/** Where and when {@link LIST_PRICES} were read. */
export const PRICES_REGION = "us-east-1";
export const PRICES_READ = "November 2026";

/** DELETE requests and transfer within a Region are free. */
export const LIST_PRICES: AwsPrices = {
  copyMillion: 5,
  listMillion: 5,
  headMillion: 0.4,
  batchJob: 0.25,
  batchObjectMillion: 1,
  invocationMillion: 0.2,
  gbSecond: 0.0000133334,
  tableWriteMillion: 0.625,
  tableReadMillion: 0.125,
  queueMillion: 0.4,
};

/** Which prices sums are made with, for people. */
export function pricesText(own: Partial<AwsPrices>): string {
  const names = Object.keys(own);
  const list = `AWS list prices of ${PRICES_REGION}, ${PRICES_READ}`;
  return names.length === 0 ? list : `${list}; from the configuration: ${names.sort().join(", ")}`;
}
