/**
 * What a relocation is usually written as: for each object its row is looked up and changed, one statement each. This
 * process does the database's part alone, which is in its favour. Prints how many rows it changed as one line of JSON.
 */

import { createPool, type ResultSetHeader, type RowDataPacket } from "mysql2/promise";

/** What the process is given as its only argument, in JSON. */
export interface ScriptRequest {
  readonly url: string;
  readonly fromPrefix: string;
  readonly toPrefix: string;
  /** Objects, numbered from 0, nine digits after the prefix. */
  readonly objects: number;
  readonly connections: number;
  /** At most so many; what the database cannot keep up with is done as fast as it goes. */
  readonly objectsPerSecond: number;
}

async function run(request: ScriptRequest): Promise<void> {
  const { fromPrefix, toPrefix, objects, connections, objectsPerSecond } = request;
  const pool = createPool({ uri: request.url, connectionLimit: connections });
  const begun = performance.now();
  let next = 0;
  let changed = 0;
  const isStopped = stopSignal();
  const worker = async () => {
    for (let n = next++; n < objects && !isStopped(); n = next++) {
      const early = begun + (n * 1000) / objectsPerSecond - performance.now();
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
      const name = String(n).padStart(9, "0");
      const path = fromPrefix + name;
      const [rows] = await pool.query<RowDataPacket[]>("SELECT id FROM images WHERE path = ?", [path]);
      if (rows.length === 0) continue;
      const [result] = await pool.query<ResultSetHeader>("UPDATE images SET path = ? WHERE path = ?", [
        toPrefix + name,
        path,
      ]);
      changed += result.affectedRows;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - begun) / 1000;
  await pool.end();
  process.stdout.write(`${JSON.stringify({ changed, seconds })}\n`);
}

function stopSignal(): () => boolean {
  let stopped = false;
  process.once("SIGTERM", () => {
    stopped = true;
  });
  return () => stopped;
}

await run(JSON.parse(process.argv[2] ?? "") as ScriptRequest);
