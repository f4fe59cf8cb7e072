/** The configuration of a store, and whether two of them reach the same buckets. */

/** A configured S3 store. Without keys the SDK's standard credential chain is used. */
export interface S3StoreConfig {
  /** Without it: the environment's or profile's region, or `us-east-1` where an endpoint is given. */
  readonly region?: string;
  /** URL of an S3-compatible store; AWS when absent. */
  readonly endpoint?: string;
  readonly forcePathStyle?: boolean;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** Shared by all jobs on the store. */
  readonly limits?: { readonly requestsPerSecond?: number; readonly bytesPerSecond?: number };
}

/**
 * Equal for two stores that reach the same buckets, so that one can copy from the other. On AWS bucket names are
 * unique in a partition and `CopyObject` crosses regions, so the partition is the identity.
 */
export function endpointIdentity(config: S3StoreConfig): string {
  if (config.endpoint === undefined || isAws(config)) return partitionOf(config.region ?? "");
  const url = new URL(config.endpoint);
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}

/** Whether the store is AWS, by default or by the URL of its endpoint. */
export function isAws(config: S3StoreConfig): boolean {
  if (config.endpoint === undefined) return true;
  return /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(config.endpoint).hostname);
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return "aws";
}
