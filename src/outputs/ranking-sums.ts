/**
 * `OUT.sums`, beside the rankings: a line of 26 bytes per ranking, the checksum of its line and the
 * digest of its request. By the first a damaged ranking is told, by the second a record that has
 * changed under the same id. Published lines hold neither.
 */
import { hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { toWireRequest, type RerankRequest } from "../core/contract.js";
import { readLines } from "../inputs/read/lines.js";
import { exists } from "../platform/files.js";

/** Hex digits of a sum, 48 bits: a number that a double holds, and a map of millions stays small. */
const SUM_CHARS = 12;
/** The digest of a request that nobody knows: its ranking was written before there were sums. */
export const UNKNOWN_DIGEST = -1;
const UNKNOWN_TEXT = "-".repeat(SUM_CHARS);
const SUMS_LINE = /^([0-9a-f]{12}) ([0-9a-f]{12}|-{12})$/;

/** Digests of requests by the checksums of their rankings' lines. */
export type RankingSums = ReadonlyMap<number, number>;

export function sumOf(text: string): number {
  return Number.parseInt(hash("sha1", text).slice(0, SUM_CHARS), 16);
}

export function requestDigest(request: RerankRequest): number {
  return sumOf(JSON.stringify(toWireRequest(request)));
}

/** The line of `OUT.sums` for one ranking, with its end. */
export function sumsLine(ranking: string, digest: number): string {
  const known = digest === UNKNOWN_DIGEST ? UNKNOWN_TEXT : hex(digest);
  return `${hex(sumOf(ranking))} ${known}\n`;
}

/** @returns undefined for what is no line of sums */
export function parseSumsLine(line: string): { sum: number; digest: number } | undefined {
  const [, sum, digest] = SUMS_LINE.exec(line) ?? [];
  if (sum === undefined || digest === undefined) return undefined;
  return {
    sum: Number.parseInt(sum, 16),
    digest: digest === UNKNOWN_TEXT ? UNKNOWN_DIGEST : Number.parseInt(digest, 16),
  };
}

/** @returns undefined if there is no such file; a line of it that is damaged is left out */
export async function readSums(path: string): Promise<RankingSums | undefined> {
  if (!(await exists(path))) return undefined;
  const sums = new Map<number, number>();
  const source = createReadStream(path);
  for await (const line of readLines(source, { maxLineBytes: 2 * SUM_CHARS + 1 })) {
    const parsed = line.status === "line" ? parseSumsLine(line.text) : undefined;
    if (parsed !== undefined) sums.set(parsed.sum, parsed.digest);
  }
  return sums;
}

function hex(sum: number): string {
  return sum.toString(16).padStart(SUM_CHARS, "0");
}
