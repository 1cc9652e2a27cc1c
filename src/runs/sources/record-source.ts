import { createHash, type Hash } from "node:crypto";
import type { InputRecord } from "../../core/records.js";

/** Where the records of a run come from. */
export interface RecordSource {
  /**
   * The records, and in their place the lines that cannot be one. Once a source.
   *
   * @param doneIds records that have a ranking already: left out, their lines still checked
   */
  read(doneIds: ReadonlySet<string>): AsyncIterable<InputRecord>;
  /** Records and lines that cannot be one; undefined where only reading to the end would tell. */
  count(): Promise<number | undefined>;
  /**
   * Adds what tells this input from others; equal inputs add the same.
   *
   * @returns false where it can be read only once, and nothing can be added
   */
  addTo(hash: Hash): Promise<boolean>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** @returns sha256, hex, of what tells `source` from others; undefined where it can be read only once */
export async function digestOf(source: RecordSource): Promise<string | undefined> {
  const hash = createHash("sha256");
  return (await source.addTo(hash)) ? hash.digest("hex") : undefined;
}
