/** Files of records and rankings, as tests write and read them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rankingSchema, type WireRanking } from "../../src/core/contract.js";
import type { RecordFailure } from "../../src/core/record.js";
import type { Manifest } from "../../src/outputs/manifest.js";

/** Writes one JSON line per record; a string or bytes go in as they are. */
export function writeRecords(path: string, records: readonly unknown[]): void {
  const lines = records.map((record) => {
    if (Buffer.isBuffer(record)) return record;
    return Buffer.from(typeof record === "string" ? record : JSON.stringify(record));
  });
  writeFileSync(path, Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")])));
}

export function readLines(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").slice(0, -1);
}

/** The rankings of an output file, each held to the published schema. */
export function readRankings(path: string): WireRanking[] {
  return readLines(path).map((line) => rankingSchema.strict().parse(JSON.parse(line)));
}

export function readFailures(path: string): RecordFailure[] {
  return readLines(path).map((line) => JSON.parse(line) as RecordFailure);
}

export function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}

/** Equal work gives equal lines; their order is that of their arrival. */
export function sortedLines(path: string): string[] {
  return readLines(path).sort();
}

/** Complete lines of a file that may be being written, or not exist yet. */
export function countLines(path: string): number {
  if (!existsSync(path)) return 0;
  return readFileSync(path).filter((byte) => byte === 0x0a).length;
}

/**
 * `copies` × 54 records of the sample set, each under an id of its own.
 */
export function multiply(sample: string, copies: number): Record<string, unknown>[] {
  const records = readLines(sample).map((line) => JSON.parse(line) as Record<string, unknown>);
  return Array.from({ length: copies }, (_, copy) =>
    records.map((record) => ({ ...record, id: `${String(record["id"])}-${copy}` })),
  ).flat();
}
