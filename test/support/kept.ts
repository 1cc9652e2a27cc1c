/** The files and keys that earlier versions left behind: see `test/fixtures/kept/README.md`. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import { z } from "zod";
import type { Bench, CliExit } from "./cli.js";
import { loadRedis, renamed, type Renamed } from "./kept-redis.js";
import { readLines } from "./records.js";

const FOLDER = fileURLToPath(new URL("../fixtures/kept", import.meta.url));

/** A folder each. */
export const keptVersions = readdirSync(FOLDER).filter((name) => /^\d+\.\d+\.\d+$/.test(name));

const ranking = z.looseObject({
  id: z.string(),
  results: z.array(z.looseObject({ index: z.int(), logit: z.number() })),
  usage: z.record(z.string(), z.int()),
});

/** The fixtures of one version. */
export class Kept {
  /** Records that can be ranked, and the lines of their rankings. */
  readonly expected: readonly string[];
  readonly #version: string;

  constructor(version: string) {
    this.#version = version;
    this.expected = readLines(this.path("expected.jsonl"));
  }

  path(name: string): string {
    return join(FOLDER, this.#version, name);
  }

  /** @param schema what the JSON file `name` must be */
  read<T>(name: string, schema: z.ZodType<T>): T {
    return schema.parse(JSON.parse(readFileSync(this.path(name), "utf8")));
  }

  /** Copies a file or a folder into the bench, under the same name or another. */
  place(bench: Bench, name: string, as = name): void {
    cpSync(this.path(name), bench.path(as), { recursive: true });
  }

  /** Copies a folder of text files, with the bench's own folder, and a host, where the old ones stood. */
  placeTexts(bench: Bench, name: string, host = hostname()): void {
    mkdirSync(bench.path(name));
    for (const file of readdirSync(this.path(name))) {
      const text = readFileSync(this.path(`${name}/${file}`), "utf8");
      writeFileSync(bench.path(`${name}/${file}`), renamed(text, names(bench, host)));
    }
  }

  /** Puts what lay in Redis into `redis`. @returns attempts at jobs begun by then */
  async load(redis: Redis, name: string, bench: Bench): Promise<number> {
    await loadRedis(redis, this.path(`${name}.redis.json`), names(bench, hostname()));
    return await attemptsBegun(redis);
  }
}

/**
 * Holds rankings against those of an undisturbed run of the version that began them. Another kind of
 * processor may give other last digits.
 */
export function expectRankings(lines: readonly string[], undisturbed: readonly string[]): void {
  const [found, expected] = [byId(lines), byId(undisturbed)];
  expect(found.map(({ id, usage }) => [id, usage])).toEqual(
    expected.map(({ id, usage }) => [id, usage]),
  );
  expect(found.map(({ results }) => results.map(({ index }) => index))).toEqual(
    expected.map(({ results }) => results.map(({ index }) => index)),
  );
  expect(found.map(({ results }) => results.map(({ logit }) => logit))).toEqual(
    expected.map(({ results }) => results.map(({ logit }) => nearly(logit))),
  );
}

function byId(lines: readonly string[]): z.infer<typeof ranking>[] {
  const rankings = lines.map((line) => ranking.parse(JSON.parse(line)));
  return rankings.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Equal to a score but for its last digits. */
export function nearly(score: number): unknown {
  return expect.closeTo(score, 3);
}

/** Attempts at jobs that anyone has begun: each draws a number. */
export async function attemptsBegun(redis: Redis): Promise<number> {
  const [key] = await redis.keys("rankmill:*:fences");
  return key === undefined ? 0 : Number(await redis.get(key));
}

/** Rankings of jobs that have ended, as they lie in Redis. */
export async function rankingsInRedis(redis: Redis): Promise<string[]> {
  const keys = await redis.keys("rankmill:*:result:*");
  const results = keys.length === 0 ? [] : await redis.mget(keys);
  return results.flatMap((text) => (text?.startsWith("D") === true ? [text.slice(1)] : []));
}

/** A refusal: its exit code, and one line on standard error. */
export function expectRefusal(exit: CliExit, code: number, line: RegExp | string): void {
  expect(exit.code, exit.stderr).toBe(code);
  expect(exit.stderr).toMatch(line);
  expect(exit.stderr.trimEnd().split("\n")).toHaveLength(1);
}

/** The id of a process that has ended. */
export function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

function names(bench: Bench, host: string): Renamed {
  return { "KEPT-FOLDER": bench.folder, "KEPT-HOST": host };
}
