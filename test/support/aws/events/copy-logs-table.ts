/** The table Copy_Logs on dynalite, in the tests' own process. */

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AttributeValue,
  CreateTableCommand,
  type DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { openTableClient } from "../../../../src/engines/aws/table-client.ts";

const CREDENTIALS = { accessKeyId: "AKIATABLE", secretAccessKey: "secret" };

/** A running table; `rows` reads all of it, by key. */
export interface CopyLogsTable {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: typeof CREDENTIALS;
  readonly name: string;
  readonly client: DynamoDBClient;
  rows(): Promise<Record<string, Record<string, AttributeValue>>>;
  put(item: Record<string, AttributeValue>): Promise<void>;
  close(): Promise<void>;
}

/** Starts dynalite and creates the table there, billed on demand and without an index, as the template does. */
export async function startCopyLogsTable({ name = "Copy_Logs" } = {}): Promise<CopyLogsTable> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const region = "eu-central-1";
  const client = openTableClient({ endpoint, region, credentials: CREDENTIALS });
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "Key", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "Key", KeyType: "HASH" }],
    }),
  );
  await waitUntilTableExists(
    { client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.2 },
    {
      TableName: name,
    },
  );
  return {
    endpoint,
    region,
    credentials: CREDENTIALS,
    name,
    client,
    rows: () => allRows(client, name),
    put: async (Item) => {
      await client.send(new PutItemCommand({ TableName: name, Item }));
    },
    close: () => close(server, client),
  };
}

async function allRows(client: DynamoDBClient, TableName: string) {
  const rows: Record<string, Record<string, AttributeValue>> = {};
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName, ExclusiveStartKey, ConsistentRead: true }));
    for (const item of page.Items ?? []) rows[item.Key?.S ?? ""] = item;
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return rows;
}

async function close(server: Server, client: DynamoDBClient): Promise<void> {
  client.destroy();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
