/** A relay in front of a store that notices every connection a client cut before its request was answered. */

import { connect as connectTo, createServer, type Server, type Socket } from "node:net";

export interface TappedStore {
  /** Where clients reach the store through the tap. */
  readonly url: string;
  /** Connections that the client ended while a request of theirs had no answer. */
  cut(): number;
  close(): Promise<void>;
}

/** Puts a tap in front of the store at `url`. HTTP/1.1 without pipelining: what came last tells whose turn it is. */
export async function tapStore(url: string): Promise<TappedStore> {
  const { hostname, port } = new URL(url);
  const open = new Set<Socket>();
  let cut = 0;
  const server: Server = createServer((client) => {
    const store = connectTo(Number(port), hostname);
    let awaitsAnswer = false;
    for (const socket of [client, store]) {
      open.add(socket);
      socket.setNoDelay(true);
      // A reset is followed by `close`, which is where it counts.
      socket.on("error", () => {});
    }
    client.on("data", () => {
      awaitsAnswer = true;
    });
    store.on("data", () => {
      awaitsAnswer = false;
    });
    client.on("end", () => {
      if (awaitsAnswer) cut += 1;
      awaitsAnswer = false;
    });
    client.on("close", () => {
      if (awaitsAnswer) cut += 1;
      open.delete(client);
      store.destroy();
    });
    store.on("close", () => {
      awaitsAnswer = false;
      open.delete(store);
      client.destroy();
    });
    client.pipe(store);
    store.pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve);
  });
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${own}`,
    cut: () => cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
