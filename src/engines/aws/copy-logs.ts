/**
 * CopyLogs: the table of the engine `lambda-copy-log`, one item for each object on its way. An item is a hint about the
 * object and proves nothing where something is deleted.
 *
 * Steps may come in any order and repeatedly: an event before its record and an event after the removal of the record change
 * nothing, and a record that is made again keeps its flag.
 */

import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import {
  type Begun,
  type CopyRecord,
  type FlaggedRecord,
  flaggedRecord,
  type LandedObject,
  type Place,
  placeName,
  termsName,
} from "./copy-log-records.ts";
import { repeatWhileBusy, type TablePatience } from "./table-requests.ts";
import { decodeTerms, encodeTerms, type JobTerms } from "./user-arguments.ts";

/** Limits of DynamoDB: bytes of a partition key, keys of one BatchGetItem, requests of one BatchWriteItem. */
const MOST_KEY_BYTES = 2048;
const KEYS_PER_READ = 100;
const DELETIONS_PER_WRITE = 25;

/**
 * `Key` and other attribute names are reserved words, so expressions use placeholders for all of them.
 *
 * Each method repeats throttled requests and unprocessed items within `patience`; it throws as
 * {@link repeatWhileBusy} does.
 */
export class CopyLogs {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #patience: TablePatience;

  constructor(client: DynamoDBClient, table: string, patience: TablePatience) {
    this.#client = client;
    this.#table = table;
    this.#patience = patience;
  }

  /** Makes the record of an object that is about to be copied. Repeating it changes nothing. */
  async begin(record: CopyRecord, signal?: AbortSignal): Promise<Begun> {
    const { job, batch, source, target } = record;
    const item = await this.#update(
      target,
      {
        UpdateExpression: "SET #f = if_not_exists(#f, :false), #s = :s, #p = :p, #z = :z, #b = :b, #j = :j",
        ConditionExpression: "attribute_not_exists(#k) OR (#j = :j AND #s = :s AND #p = :p)",
        ExpressionAttributeNames: {
          "#k": "Key",
          "#f": "Flag",
          "#s": "Source",
          "#p": "Pinned",
          "#z": "Size",
          "#b": "Batch",
          "#j": "Job",
        },
        ExpressionAttributeValues: {
          ":false": { BOOL: false },
          ":s": { S: placeName(source) },
          ":p": { S: source.etag },
          ":z": { N: String(source.size) },
          ":b": { N: String(batch) },
          ":j": { S: job },
        },
      },
      signal,
    );
    if (item === null) return { kind: "unrecorded" };
    const etag = item.ETag?.S;
    return item.Flag?.BOOL === true && etag ? { kind: "flagged", etag } : { kind: "recorded" };
  }

  /**
   * Flags the record of an object that has landed, and gives it. Null: there is no record, or the event does not prove a copy
   * of the recorded version: size and ETag are compared, since applications write under the new prefix too. The ETag does not
   * count for copies by the function's own role.
   */
  async flag(object: LandedObject, signal?: AbortSignal): Promise<FlaggedRecord | null> {
    const { etag, size, isByCopier } = object;
    const item = await this.#update(
      object,
      {
        UpdateExpression: "SET #f = :true, #e = :e",
        // False for a missing attribute, so nothing is made where there is no record.
        ConditionExpression: isByCopier ? "#z = :z" : "#z = :z AND #p = :e",
        ExpressionAttributeNames: {
          "#f": "Flag",
          "#e": "ETag",
          "#z": "Size",
          ...(isByCopier ? {} : { "#p": "Pinned" }),
        },
        ExpressionAttributeValues: {
          ":true": { BOOL: true },
          ":e": { S: etag },
          ":z": { N: String(size) },
        },
      },
      signal,
    );
    return item === null ? null : flaggedRecord(item);
  }

  /** The flagged records of objects at `places`, by {@link placeName}; strongly consistent. */
  async flagged(places: readonly Place[], signal?: AbortSignal): Promise<Map<string, FlaggedRecord>> {
    const found = new Map<string, FlaggedRecord>();
    for (const page of pagesOf(places, KEYS_PER_READ)) {
      await repeatWhileBusy(page, (names) => this.#read(names, found, signal), this.#patience, signal);
    }
    return found;
  }

  /** Removes the records of objects at `places`, flagged or not; those without a record are ignored. */
  async remove(places: readonly Place[], signal?: AbortSignal): Promise<void> {
    for (const page of pagesOf(places, DELETIONS_PER_WRITE)) {
      await this.#write(page.map(deletionOf), signal);
    }
  }

  /** Writes the terms by which the function that takes the events updates rows; those of the same consignment are replaced. */
  async putTerms(terms: JobTerms, signal?: AbortSignal): Promise<void> {
    const { token } = terms;
    const Item = {
      Key: { S: termsName(token) },
      Job: { S: token },
      Terms: { S: JSON.stringify(encodeTerms(terms)) },
    };
    await this.#write([{ PutRequest: { Item } }], signal);
  }

  /** The terms of the consignment; null where there are none, or none that are understood. Strongly consistent. */
  async termsOf(token: string, signal?: AbortSignal): Promise<JobTerms | null> {
    let text: string | undefined;
    const attempt = async ([name = ""]: readonly string[]) => {
      const command = new GetItemCommand({
        TableName: this.#table,
        Key: { Key: { S: name } },
        ConsistentRead: true,
      });
      text = (await this.#client.send(command, options(signal))).Item?.Terms?.S;
      return [];
    };
    await repeatWhileBusy([termsName(token)], attempt, this.#patience, signal);
    try {
      return text === undefined ? null : decodeTerms(JSON.parse(text));
    } catch {
      return null;
    }
  }

  /** Removes the terms of the consignment, if there are any. */
  async removeTerms(token: string, signal?: AbortSignal): Promise<void> {
    await this.#write([deletionOf(termsName(token))], signal);
  }

  /** The item after the update; null when its condition failed, or for a key that the table cannot hold. */
  async #update(
    place: Place,
    input: Omit<UpdateItemCommand["input"], "TableName" | "Key">,
    signal: AbortSignal | undefined,
  ): Promise<Record<string, AttributeValue> | null> {
    const name = placeName(place);
    if (!isStorable(name)) return null;
    let item: Record<string, AttributeValue> | null = null;
    const attempt = async () => {
      const command = new UpdateItemCommand({
        ...input,
        TableName: this.#table,
        Key: { Key: { S: name } },
        ReturnValues: "ALL_NEW",
      });
      try {
        item = (await this.#client.send(command, options(signal))).Attributes ?? {};
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "ConditionalCheckFailedException") throw error;
      }
      return [];
    };
    await repeatWhileBusy([name], attempt, this.#patience, signal);
    return item;
  }

  /** Reads one page into `found`; gives the names that were not processed. */
  async #read(
    names: readonly string[],
    found: Map<string, FlaggedRecord>,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    const Keys = names.map((name) => ({ Key: { S: name } }));
    const command = new BatchGetItemCommand({
      RequestItems: { [this.#table]: { Keys, ConsistentRead: true } },
    });
    const answer = await this.#client.send(command, options(signal));
    for (const item of answer.Responses?.[this.#table] ?? []) {
      const record = flaggedRecord(item);
      if (record !== null && item.Key?.S !== undefined) found.set(item.Key.S, record);
    }
    return (answer.UnprocessedKeys?.[this.#table]?.Keys ?? []).map((key) => key.Key?.S ?? "");
  }

  /** Writes and deletes one page of items. */
  async #write(requests: readonly WriteRequest[], signal: AbortSignal | undefined): Promise<void> {
    const attempt = async (open: readonly WriteRequest[]) => {
      const command = new BatchWriteItemCommand({ RequestItems: { [this.#table]: [...open] } });
      const answer = await this.#client.send(command, options(signal));
      return answer.UnprocessedItems?.[this.#table] ?? [];
    };
    await repeatWhileBusy(requests, attempt, this.#patience, signal);
  }
}

function deletionOf(name: string): WriteRequest {
  return { DeleteRequest: { Key: { Key: { S: name } } } };
}

function options(abortSignal: AbortSignal | undefined) {
  return abortSignal === undefined ? {} : { abortSignal };
}

function isStorable(name: string): boolean {
  return Buffer.byteLength(name) <= MOST_KEY_BYTES;
}

/** A key may be named once in a call. */
function* pagesOf(places: readonly Place[], size: number): Generator<string[]> {
  const names = [...new Set(places.map(placeName))].filter(isStorable);
  for (let start = 0; start < names.length; start += size) yield names.slice(start, start + size);
}
