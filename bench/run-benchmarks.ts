import { openApplicationDatabase } from "./application-database.ts";
import { measureThroughput } from "./measure-throughput.ts";
import { installedPeers } from "./peers.ts";
import { transhipContender } from "./tranship-contender.ts";

const database = await openApplicationDatabase();
const n = Number(process.argv[2] ?? 2000);
const rows = await measureThroughput({
  contenders: [
    transhipContender({ name: "Tranship, objects only", database: null, ledger: "sqlite" }),
    transhipContender({ name: "Tranship, with rows", database, ledger: "mariadb" }),
    ...installedPeers(),
  ],
  once: [transhipContender({ name: "Tranship, rows, SQLite ledger", database, ledger: "sqlite" })],
  objects: n,
  bytes: 1024,
  latencyMs: 20,
  concurrencies: [64, 256],
  rounds: 1,
  onRun: (run) =>
    console.log(
      run.name,
      run.concurrency,
      run.objects,
      run.seconds.toFixed(2),
      run.activeSeconds.toFixed(2),
      run.cpuMs,
      run.peakMb.toFixed(0),
      run.requests / run.objects,
    ),
});
console.table(
  rows.map(
    ({
      name,
      concurrency,
      objectsPerSecond,
      activeShareOfBound,
      cpuMsPerObject,
      requestsPerObject,
      peakMb,
    }) => ({
      name,
      concurrency,
      objectsPerSecond,
      activeShareOfBound,
      cpuMsPerObject,
      requestsPerObject,
      peakMb,
    }),
  ),
);
await database.close();
