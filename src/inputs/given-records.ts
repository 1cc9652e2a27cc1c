import type { Limits } from "../core/contract.js";
import { readRecord, type InputRecord } from "../core/record.js";
import type { RecordSource } from "../core/ports/record-source.js";

/** One record as a program gives it. */
export interface GivenRecord {
  /** The record's name in the run: its ranking carries it, and no other record may. */
  readonly id: string;
  readonly query: string;
  /** Candidates: texts, or texts with ids of your own. */
  readonly documents: readonly (string | { readonly id?: string; readonly text: string })[];
  /** Results to return; 0: all. @defaultValue the run's */
  readonly topN?: number;
  /** Returned with the ranking, never read. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Records that a program hands over one by one; each is held against the same contract as a line. */
export class GivenRecords implements RecordSource {
  readonly #records: Iterable<GivenRecord> | AsyncIterable<GivenRecord>;
  readonly #limits: Limits;
  readonly #topN: number | undefined;

  constructor(
    records: Iterable<GivenRecord> | AsyncIterable<GivenRecord>,
    limits: Limits,
    topN: number | undefined,
  ) {
    this.#records = records;
    this.#limits = limits;
    this.#topN = topN;
  }

  async *read(doneIds: ReadonlySet<string>): AsyncGenerator<InputRecord, void, undefined> {
    const ids = new Set<string>();
    const seen = (id: string): boolean => {
      const known = ids.has(id);
      ids.add(id);
      return known;
    };
    let line = 0;
    for await (const { id, query, documents, topN, metadata } of this.#records) {
      line += 1;
      const text = JSON.stringify({ id, query, documents, top_n: topN, metadata });
      const bytes = Buffer.byteLength(text);
      const record = readRecord(line, text, bytes, this.#limits, this.#topN, seen);
      if (record.status === "valid" && doneIds.has(record.request.id)) continue;
      yield record;
    }
  }

  async count(): Promise<number | undefined> {
    return await Promise.resolve(undefined);
  }

  /** @returns false: nobody can tell whether they can be read twice */
  async addTo(): Promise<boolean> {
    return await Promise.resolve(false);
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}
