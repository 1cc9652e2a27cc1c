import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll } from "vitest";
import type { Spool } from "../../src/core/ports/spool.js";
import { parseFailure, type RecordFailure } from "../../src/core/record.js";
import { ResultFiles } from "../../src/outputs/result-files.js";
import { RunOutput } from "../../src/outputs/run-output.js";
import { openSpool } from "../../src/outputs/spool/registry.js";
import { StreamOutput } from "../../src/outputs/stream-output.js";
import { MemorySink } from "../support/fakes/memory-sink.js";
import { SETTINGS } from "../support/run-settings.js";
import { TestS3 } from "../support/s3-server.js";
import { testRankingSink, type OpenSink } from "./ranking-sink.suite.js";

const RUN = "run-1";
let s3: TestS3;
let spools = 0;

beforeAll(async () => {
  s3 = await TestS3.start();
});

afterAll(async () => {
  await s3.close();
});

async function temporary(): Promise<{ folder: string; clean: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "rankmill-test-sinks-"));
  return { folder, clean: async () => await rm(folder, { recursive: true, force: true }) };
}

async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

async function failuresOf(path: string): Promise<RecordFailure[]> {
  return (await linesOf(path)).map(parseFailure);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function openSpooled(spool: Spool, clean: () => Promise<void>): Promise<OpenSink> {
  const sink = await spool.openOutput(RUN, 1);
  return {
    sink,
    rankings: async () => await all(spool.rankings(RUN)),
    failures: async () => await all(spool.failures(RUN)),
    close: async () => await sink.close(true),
    clean,
  };
}

testRankingSink("of a run from file to file", async () => {
  const { folder, clean } = await temporary();
  const output = join(folder, "out.jsonl");
  const sink = await RunOutput.open(output, SETTINGS);
  return {
    sink,
    rankings: async () => await linesOf(output),
    failures: async () => await failuresOf(join(folder, "out.failed.jsonl")),
    close: async () => await sink.close(true),
    clean,
  };
});

testRankingSink("of the results of a submitted run", async () => {
  const { folder, clean } = await temporary();
  const output = join(folder, "out.jsonl");
  const sink = await ResultFiles.open(output, "run-1");
  return {
    sink,
    rankings: async () => await linesOf(output),
    failures: async () => await failuresOf(join(folder, "out.failed.jsonl")),
    close: async () => await sink.close(),
    clean,
  };
});

testRankingSink("of a stream", async () => {
  const failures: RecordFailure[] = [];
  let text = "";
  const stream = new PassThrough().on("data", (bytes: Buffer) => (text += bytes.toString()));
  return await Promise.resolve({
    sink: new StreamOutput(stream, (failure) => failures.push(failure)),
    rankings: async () => await Promise.resolve(text.split("\n").slice(0, -1)),
    failures: async () => await Promise.resolve(failures),
    close: async () => await Promise.resolve(),
    clean: async () => await Promise.resolve(),
  });
});

testRankingSink("of a spool in a folder", async () => {
  const { folder, clean } = await temporary();
  return await openSpooled(await openSpool(folder, {}), clean);
});

testRankingSink("of a spool in a bucket", async () => {
  spools += 1;
  const spool = await openSpool(s3.place(`sink-${spools}`), s3.env);
  return await openSpooled(spool, async () => await Promise.resolve());
});

testRankingSink("in memory, for tests", async () => {
  const sink = new MemorySink();
  return await Promise.resolve({
    sink,
    rankings: async () => await Promise.resolve(sink.lines),
    failures: async () => await Promise.resolve(sink.failures),
    close: async () => await Promise.resolve(),
    clean: async () => await Promise.resolve(),
  });
});
