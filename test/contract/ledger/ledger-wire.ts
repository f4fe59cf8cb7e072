/** A connection to MariaDB that loses an answer, or breaks, when a test says so. */

import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to the server that can be cut at the worst moment. */
export interface Wire {
  readonly url: string;
  /** The next statement with `text` is carried out, but the connection ends before its answer. */
  loseAnswerTo(text: string): void;
  /** Whether that happened. */
  readonly lost: boolean;
  cut(): Promise<void>;
}

/** Opens a port on this machine that leads to the server at `url`. */
export async function wireTo(url: string): Promise<Wire> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let awaited: string | null = null;
  let lost = false;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let mute = false;
    sockets.add(client).add(upstream);
    client.on("data", (data) => {
      if (awaited !== null && data.includes(awaited)) {
        mute = true;
        awaited = null;
      }
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (!mute) return void client.write(data);
      lost = true;
      client.destroy();
      upstream.destroy();
    });
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      socket.on("error", () => undefined);
      socket.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const through = new URL(url);
  through.port = String((server.address() as { port: number }).port);
  return {
    url: through.href,
    loseAnswerTo: (text) => {
      awaited = text;
      lost = false;
    },
    get lost() {
      return lost;
    },
    cut: async () => {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
