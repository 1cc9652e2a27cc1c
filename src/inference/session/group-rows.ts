import type { BatchInput } from "../lanes/lane-protocol.js";

/** The rows of a batch that begin with the same tokens, and what follows in each. */
export interface RowGroup {
  /** Exact: equal keys, equal prefixes. */
  readonly key: string;
  readonly prefix: Int32Array;
  /** Places of the rows in the batch. */
  readonly rows: number[];
  readonly rests: Int32Array[];
}

/** Divides a batch by the tokens before each row's second text. Rows without a second text share nothing. */
export function groupRows({ ids, secondStarts }: BatchInput): readonly RowGroup[] {
  const groups = new Map<string, RowGroup>();
  for (const [row, all] of ids.entries()) {
    const start = secondStarts[row] ?? all.length;
    const shared = start < all.length ? start : 0;
    const prefix = all.subarray(0, shared);
    const key = Buffer.from(prefix.buffer, prefix.byteOffset, prefix.byteLength).toString("latin1");
    const group = groups.get(key) ?? { key, prefix, rows: [], rests: [] };
    groups.set(key, group);
    group.rows.push(row);
    group.rests.push(all.subarray(shared));
  }
  return [...groups.values()];
}
