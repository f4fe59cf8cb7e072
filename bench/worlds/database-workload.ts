/**
 * An application on the production database, as a process of its own: so many operations a second over a few
 * connections, whatever the answers take. Prints its latencies as one line of JSON.
 */

import { createPool, type Pool } from "mysql2/promise";
import { type Latencies, latenciesOf } from "../latencies.ts";

/** What the process is given as its only argument, in JSON. */
export interface WorkloadRequest {
  /** `mysql://…` of the database with the table `images`. */
  readonly url: string;
  /** Ids of existing rows, 1 to this number. */
  readonly rows: number;
  /** Ids whose rows are being rewritten meanwhile: half of the changes go to them. */
  readonly hot: readonly [first: number, last: number];
  readonly operationsPerSecond: number;
  readonly connections: number;
  /** Measured time; one second of warming up comes before it. */
  readonly seconds: number;
}

/** What the process prints, in JSON. */
export interface WorkloadAnswer {
  /** Of all operations, commits included. */
  readonly latencies: Latencies;
  /** Operations that ended with an error. */
  readonly failed: number;
}

const WARM_UP_MS = 1000;

/**
 * Latency counts from the moment an operation was due, not from the one it was sent: an operation that waits for a
 * connection behind a slow one is slow too (Tene, "How NOT to Measure Latency": coordinated omission).
 */
async function work(request: WorkloadRequest): Promise<void> {
  const { operationsPerSecond, connections, seconds } = request;
  const pool = createPool({ uri: request.url, connectionLimit: connections });
  const total = Math.round((operationsPerSecond * (WARM_UP_MS + seconds * 1000)) / 1000);
  const milliseconds: number[] = [];
  const running = new Set<Promise<void>>();
  const begun = performance.now();
  let failed = 0;
  for (let n = 0; n < total; ) {
    const now = performance.now();
    for (; n < total && due(n) <= now; n += 1) {
      const dueAt = due(n);
      const operation = operate(pool, request, n)
        .then(() => {
          if (dueAt - begun >= WARM_UP_MS) milliseconds.push(performance.now() - dueAt);
        })
        .catch(() => {
          failed += 1;
        })
        .finally(() => running.delete(operation));
      running.add(operation);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  await pool.end();
  const answer: WorkloadAnswer = { latencies: latenciesOf(milliseconds), failed };
  process.stdout.write(`${JSON.stringify(answer)}\n`);

  function due(n: number): number {
    return begun + (n * 1000) / operationsPerSecond;
  }
}

/** Nine reads, four changes of existing rows and two new rows in fifteen operations, in an order that does not clump. */
async function operate(pool: Pool, request: WorkloadRequest, n: number): Promise<void> {
  const turn = (n * 7) % 15;
  const id = 1 + Math.floor(Math.random() * request.rows);
  const [first, last] = request.hot;
  const hotId = first + Math.floor(Math.random() * (last - first + 1));
  if (turn < 6) await pool.query("SELECT id, path, title, hits FROM images WHERE id = ?", [id]);
  else if (turn < 9) await pool.query("SELECT id, title FROM images WHERE path = ?", [`filler/${id}`]);
  else if (turn < 11) await pool.query("UPDATE images SET hits = hits + 1 WHERE id = ?", [id]);
  else if (turn < 13) await pool.query("UPDATE images SET hits = hits + 1 WHERE id = ?", [hotId]);
  else await pool.query("INSERT INTO images (path, title) VALUES (?, 'new')", [`upload/${id}-${n}`]);
}

await work(JSON.parse(process.argv[2] ?? "") as WorkloadRequest);
