/** Runs through the library, as a program of one's own uses it, worked off by a real worker. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClient, type Client, type GivenRecord, type Run } from "../../src/index.js";
import { Bench, BUILTIN, SAMPLE, words } from "../support/cli.js";
import { keySpace } from "../support/key-space.js";
import { readRankings } from "../support/records.js";
import { TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

let server: TestRedis;
let bench: Bench;
let client: Client;

beforeEach(async () => {
  server = await TestRedis.start();
  bench = await Bench.open({ REDIS_URL: server.url });
});

afterEach(async () => {
  await client.close();
  await bench.close();
  await server.close();
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* madeUp(count: number): AsyncGenerator<GivenRecord> {
  for (let i = 0; i < count; i += 1) {
    const documents = [{ id: "far", text: "nothing of it" }, `word${i} and more`];
    yield await Promise.resolve({ id: `r${i}`, query: `word${i}`, documents, metadata: { i } });
  }
}

describe.each(["in Redis", "in a spool"])("a run of the library %s", (place) => {
  const spooled = place === "in a spool";
  let run: Run;

  beforeEach(async () => {
    const spool = spooled ? { spool: bench.path("spool") } : {};
    client = await createClient({ redisUrl: server.url, ...spool });
    if (spooled) bench.start(words("runner --spool spool"));
  });

  it("is submitted, stopped, tried again, ranked, read, written and purged", async () => {
    const bad = { id: "bad", query: "", documents: ["d"] };
    const records = (async function* () {
      yield* madeUp(20);
      yield bad;
    })();
    const taken: number[] = [];
    run = await client.runs.submit(records, {
      model: BUILTIN,
      topN: 1,
      onProgress: (count) => taken.push(count),
    });
    expect(run.place).toBe(spooled ? "spool" : "redis");
    expect(taken.at(-1)).toBe(21);
    // No worker has started yet: all of it is stopped.
    expect(await run.cancel()).toBeGreaterThanOrEqual(20);
    expect(await run.status()).toMatchObject({ state: "cancelled", over: true, total: 21 });
    expect(await all(run.rankings())).toEqual([]);
    expect(await run.retry()).toBeGreaterThanOrEqual(20);

    await bench.worker(["--model", BUILTIN, "--lanes", "1"]);
    const over = await run.untilOver({ timeoutMs: 60_000, pollMs: 50 });
    expect(over).toMatchObject({ state: "complete", counts: { done: 20, failed: 1 } });
    const rankings = await all(run.rankings());
    expect(rankings).toHaveLength(20);
    expect(rankings.find(({ id }) => id === "r7")).toMatchObject({
      results: [{ index: 1 }],
      metadata: { i: 7 },
      usage: { pairs: 2 },
    });
    expect(await all(run.failures())).toMatchObject([{ line: 21, id: "bad" }]);
    const written = await run.writeResults(bench.path("out.jsonl"));
    expect(written).toEqual({ ranked: 20, failed: 1, open: 0, over: true });
    expect(readRankings(bench.path("out.jsonl"))).toHaveLength(20);

    expect((await all(client.runs.list())).map(({ id, total }) => [id, total])).toEqual([
      [run.id, 21],
    ]);
    const redis = server.client();
    await client.runs.purge(run.id);
    await expect(client.runs.open(run.id)).rejects.toThrow(`no run "${run.id}"`);
    await until("nothing of it is left", async () => {
      return !(await keySpace(redis)).some((key) => /run[:s-]|result|owners|fence:/.test(key));
    });
  });

  it("is the same run if file and settings are the same, and is opened by others", async () => {
    await bench.worker(["--model", BUILTIN, "--lanes", "1"]);
    run = await client.runs.submit(SAMPLE, { model: BUILTIN });
    const again = await client.runs.submit(SAMPLE, { model: BUILTIN });
    expect(again.id).toBe(run.id);
    const other = await client.runs.submit(SAMPLE, { model: BUILTIN, maxLength: 64 });
    expect(other.id).not.toBe(run.id);
    await run.untilOver({ timeoutMs: 60_000, pollMs: 50 });
    const found = await bench.run(words(`results ${run.id} --output out.jsonl --spool spool`));
    expect(found.code, found.stderr).toBe(0);
    expect(readRankings(bench.path("out.jsonl"))).toHaveLength(54);
    const opened = await client.runs.open(run.id);
    expect(await all(opened.rankings())).toHaveLength(54);
    await expect(client.runs.purge("never-there")).rejects.toThrow('no run "never-there"');
  });
});

describe("a run that the library refuses", () => {
  beforeEach(async () => {
    client = await createClient({ redisUrl: server.url });
  });

  it("is refused by the option, the file or the model that is wrong, and leaves no run", async () => {
    const submit = async (input: string, options: object): Promise<Run> =>
      await client.runs.submit(input, { model: BUILTIN, ...options });
    await expect(submit("no-such-file.jsonl", {})).rejects.toThrow("no-such-file.jsonl");
    await expect(submit(SAMPLE, { maxLength: -1 })).rejects.toThrow("maxLength");
    await expect(submit(SAMPLE, { model: "nobody" })).rejects.toMatchObject({
      code: "model_not_found",
    });
    await expect(submit(SAMPLE, { run: "a b" })).rejects.toThrow('run id "a b"');
    await expect(submit(SAMPLE, { spooled: true })).rejects.toThrow("spool");
    await expect(submit(SAMPLE, { ttlSeconds: 0 })).rejects.toThrow("ttlSeconds");
    await expect(submit(SAMPLE, { inFlightJobs: 0.5 })).rejects.toThrow("inFlightJobs");
    await expect(submit(undefined as unknown as string, {})).rejects.toThrow("input: is undefined");
    await expect(submit(SAMPLE, { model: 7 })).rejects.toThrow("model: is 7");
    await expect(submit(SAMPLE, { signal: {} })).rejects.toThrow("signal: is no AbortSignal");
    expect(await all(client.runs.list())).toEqual([]);
  });
});

describe("a run whose caller does not wait any longer", () => {
  it("is submitted as far as it had come, and every other call ends as soon as its signal aborts", async () => {
    client = await createClient({ redisUrl: server.url });
    const stop = new AbortController();
    let returned = false;
    const endless = (async function* () {
      try {
        yield* madeUp(300);
        stop.abort(new Error("enough"));
        yield* madeUp(Infinity);
      } finally {
        returned = true;
      }
    })();
    const submitting = client.runs.submit(endless, {
      model: BUILTIN,
      signal: stop.signal,
      run: "r",
    });
    await expect(submitting).rejects.toThrow("enough");
    await until("the source is told", () => returned);
    const run = await client.runs.open("r");
    expect((await run.summary()).state).toBe("submitting");
    server.freeze();
    try {
      const later = new AbortController();
      const call = { signal: later.signal };
      const calls = [
        client.runs.open("r", call),
        all(client.runs.list(call)),
        client.runs.purge("r", call),
        run.summary(call),
        run.status(call),
        run.untilOver(call),
        all(run.items(call)),
        all(run.rankings(call)),
        run.retry(call),
        run.memoryBytes(call),
        run.writeResults(bench.path("out.jsonl"), undefined, call),
        client.rerank({ model: BUILTIN, query: "q", documents: ["d"] }, call),
        client.job("j", "another", call),
      ];
      later.abort(new Error("no longer"));
      const ends = await Promise.allSettled(calls);
      expect(ends.map((end) => end.status === "rejected" && String(end.reason))).toEqual(
        calls.map(() => "Error: no longer"),
      );
    } finally {
      server.thaw();
    }
  });
});
