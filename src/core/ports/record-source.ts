import type { InputRecord } from "../record.js";

/** A hash that takes more and more of an input, such as that of `node:crypto`. */
export interface InputHash {
  update(data: string | Uint8Array): unknown;
}

/** The source of a run's records. */
export interface RecordSource {
  /**
   * The records, and in their place the lines that cannot be one. Once a source.
   *
   * @param doneIds records that have a ranking already: left out, their lines still checked
   */
  read(doneIds: ReadonlySet<string>): AsyncIterable<InputRecord>;
  /** Records and lines that cannot be one; undefined if only reading to the end would tell. */
  count(): Promise<number | undefined>;
  /**
   * Adds what tells this input from others; equal inputs add the same.
   *
   * @returns false if it can be read only once, and nothing can be added
   */
  addTo(hash: InputHash): Promise<boolean>;
  /** Safe to call twice. */
  close(): Promise<void>;
}
