/** The log of copies that function 1 keeps in Copy_Logs. */

import { placeOfCopy } from "../domain/engines/copy-number.ts";
import type { CopyLogs } from "../engines/aws/copy-logs.ts";
import type { CopyLog } from "./copy-ports.ts";

/** The records of `logs` as function 1 needs them. */
export function recordedCopies(logs: Pick<CopyLogs, "begin">): CopyLog {
  return {
    async begin({ token, task, source, target }) {
      const { kind } = await logs.begin({
        job: token,
        batch: placeOfCopy(task.number).seq,
        source: { ...source, etag: task.etag, size: task.size },
        target,
      });
      return kind === "flagged" ? "copied" : "open";
    },
  };
}
