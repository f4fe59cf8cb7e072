/** Deployment: the parts of the AWS engines that are not this process, as the operator's commands see them. */

/** A relocation whose copies the deployment is to make; both buckets are of the store. */
export interface DeployedRelocation {
  readonly source: { readonly bucket: string; readonly prefix: string };
  readonly target: { readonly bucket: string; readonly prefix: string };
}

export interface NotifyReport {
  readonly bucket: string;
  /** ARN of the queue that is told of copies. */
  readonly queue: string;
  /**
   * `wired`: nothing to do. `planned`: to be written with `apply`. `applied`: written and read back. `refused`: entries of
   * others are in the way.
   */
  readonly state: "wired" | "planned" | "applied" | "refused";
  /** The entry to add, as XML; null without one. */
  readonly added: string | null;
  /** Entries of this program whose place it takes. */
  readonly replaced: readonly string[];
  /** The number of entries that stay as they are. */
  readonly others: number;
  readonly reasons: readonly string[];
}

export type Severity = "error" | "warning";

/** What a check found; `code` is stable. */
export interface DeploymentFinding {
  readonly severity: Severity;
  readonly code: string;
  /** One sentence, with the right that is missing where one is. */
  readonly message: string;
}

/** A step of a check and what it proved; `ok` false: see the findings. */
export interface DeploymentStep {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface DeploymentReport {
  /** Whether there are no errors. */
  readonly ok: boolean;
  readonly steps: readonly DeploymentStep[];
  readonly findings: readonly DeploymentFinding[];
  /** Requests and answers of a job of one object, with `batchOperations`; to be kept as a fixture. */
  readonly seen: readonly SeenExchange[] | null;
}

/** A request to AWS and its answer, without credentials. */
export interface SeenExchange {
  /** `service:Operation`. */
  readonly operation: string;
  readonly input: unknown;
  readonly status: number | null;
  readonly output: unknown;
}

export interface ForgetReport {
  readonly jobId: string;
  readonly bucket: string;
  /** Manifests and reports of the job. */
  readonly keys: readonly string[];
  /** Records of its objects in the table; null: the table is not there. */
  readonly records: number | null;
  /** Whether they were removed. */
  readonly removed: boolean;
}

/** The deployment that a store's `aws` section names. Errors: `engine_unavailable`, `engine_refused`, `stopped`. */
export interface Deployment {
  /** Wires the events of copies under the target's prefix; without `apply` only says how. */
  notify(
    target: DeployedRelocation["target"],
    options: { readonly queue?: string; readonly apply: boolean },
  ): Promise<NotifyReport>;
  /** Copies a canary object through function, event and table, and removes it. */
  check(
    relocation: DeployedRelocation,
    options: { readonly batchOperations: boolean; readonly copyLog: boolean; readonly signal: AbortSignal },
  ): Promise<DeploymentReport>;
  /** Removes what is kept of a finished job; without `apply` only lists it. `tokens`: of its consignments. */
  forget(
    job: { readonly id: string; readonly tokens: readonly string[] },
    options: { readonly apply: boolean; readonly signal: AbortSignal },
  ): Promise<ForgetReport>;
  close(): void;
}
