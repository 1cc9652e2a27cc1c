/** The examples that the package brings along, run as they stand. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { Queue } from "bullmq";
import { beforeAll, expect, it } from "vitest";
import { useFleet } from "../support/fleet.js";
import { SAMPLE } from "../support/cli.js";
import { given, pythonRedis } from "../support/needs.js";

const fleet = useFleet({ shared: "everything" });

/** Runs a program of the examples. @returns its exit code and what it wrote */
async function example(
  program: string,
  name: string,
  args: readonly string[] = [],
  input = "",
): Promise<{ code: number; said: string }> {
  const path = fileURLToPath(new URL(`../../producers/examples/${name}`, import.meta.url));
  const child = spawn(program, [path, ...args], {
    cwd: fleet.bench.folder,
    env: { PATH: process.env["PATH"] ?? "", REDIS_URL: fleet.server.url },
  });
  child.stdin.end(input);
  const [out, errors, [code]] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, "close") as Promise<[number]>,
  ]);
  return { code, said: `${out.toString()}${errors.toString()}` };
}

beforeAll(async () => {
  await fleet.worker();
});

it("the example of one call ranks its documents", async () => {
  expect(await example(process.execPath, "rerank.mjs")).toEqual({
    code: 0,
    said: "0.906 Paris is the capital of France.\n0.563 Berlin is the capital of Germany.\n",
  });
});

it("the example of a pipeline writes the rows of each question, and empties its queue", async () => {
  const queue = new Queue("questions", {
    connection: { url: fleet.server.url, maxRetriesPerRequest: null },
  });
  try {
    const passages = ["a river", "the mill", "millstones", "rye"];
    for (let i = 0; i < 20; i += 1) {
      await queue.add("ask", { question: i === 7 ? "" : `mill number ${i}`, passages });
    }
    const { code, said } = await example(process.execPath, "queue-to-table.mjs", ["table.jsonl"]);
    expect([code, said]).toEqual([0, ""]);
    const rows = readFileSync(fleet.bench.path("table.jsonl"), "utf8").trim().split("\n");
    expect(rows).toHaveLength(19 * 3);
    const first = rows.map((row) => JSON.parse(row) as object).filter((_, i) => i % 3 === 0);
    for (const row of first) expect(row).toMatchObject({ rank: 1, document: 1 });
    expect(await queue.getJobCounts("waiting", "active", "completed", "failed")).toMatchObject({
      waiting: 0,
      active: 0,
      completed: 19,
      failed: 1,
    });
  } finally {
    await queue.close();
  }
});

it("the example of a run prints each ranking once, and ends with the run", async () => {
  const { code, said } = await example(process.execPath, "follow-run.mjs", [SAMPLE]);
  const ids = said
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0]);
  const records = readFileSync(SAMPLE, "utf8").trim().split("\n");
  expect([code, new Set(ids).size, ids.length]).toEqual([0, records.length, records.length]);
});

it("the example of a producer that does not wait names the key of each ranking", async () => {
  const { code, said } = await example(process.execPath, "enqueue.mjs");
  expect(code).toBe(0);
  const keys = said.trim().split("\n");
  expect(keys).toHaveLength(readFileSync(SAMPLE, "utf8").trim().split("\n").length);
  for (const key of keys)
    expect(key).toMatch(/^rankmill:\{builtin-bm25\..*\}:result:r[0-9a-f]{40}$/);
});

it(
  "the example in Python reads the rankings that a producer has enqueued",
  given(pythonRedis),
  async () => {
    const { said: keys } = await example(process.execPath, "enqueue.mjs");
    const { code, said } = await example("python3", "read_rankings.py", [], keys);
    expect(code, said).toBe(0);
    const lines = said.trim().split("\n");
    expect(lines).toHaveLength(keys.trim().split("\n").length);
    expect(lines.map((line) => line.split("\t")[0])).toContain("en-ai-definition");
  },
);
