/** What a worker and a runner show of themselves over HTTP, on real parts. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN, SAMPLE, words, type CliExit, type RunningCli } from "../support/cli.js";
import { metricsUrl, metricTypes, scrape } from "../support/metrics.js";
import { multiply, writeRecords } from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const DOCS = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
const SAMPLE_RECORDS = 54;
const SAMPLE_PAIRS = 1_209;

let redis: TestRedis;
let bench: Bench;

beforeEach(async () => {
  redis = await TestRedis.start();
  bench = await Bench.open({ REDIS_URL: redis.url });
});
afterEach(async () => {
  await bench.close();
  await redis.close();
});

const METERED = ["--metrics-port", "0"];
const worker = (more = ""): Promise<RunningCli> =>
  bench.worker(["--model", BUILTIN, "--lanes", "1", ...METERED, ...words(more)]);
const runner = (): RunningCli =>
  bench.start(["runner", "--spool", bench.path("spool"), ...METERED]);
const startOn = (port: string): Promise<CliExit> =>
  bench.run(["worker", "--model", BUILTIN, "--metrics-port", port]);
const submit = async (input: string, more = ""): Promise<string> => {
  const args = ["submit", "--model", BUILTIN, "--input", input, ...words(more)];
  const { stdout, stderr, code } = await bench.run(args);
  expect(code, stderr).toBe(0);
  return stdout.trim();
};

describe("the metrics of a worker and a runner", () => {
  it("are those that docs/metrics.md lists, with their types and labels", async () => {
    const workerUrl = await metricsUrl(await worker());
    const runnerUrl = await metricsUrl(runner());
    await submit(SAMPLE, `--spool ${bench.path("spool")}`);
    const shown = new Map<string, { type: string; labels: Set<string> }>();
    // A run's figures are there while it is owned: collect until all that is listed was seen.
    const listed = new Map(
      [...DOCS.matchAll(/^\| `(rankmill_\w+)`\s*\| (\w+)\s*\| ([^|]*)\|/gm)].map(
        ([, name = "", type = "", labels = ""]) => [
          name,
          { type, labels: new Set([...labels.matchAll(/`(\w+)`/g)].map(([, one = ""]) => one)) },
        ],
      ),
    );
    await until("every metric was seen", async () => {
      for (const url of [workerUrl, runnerUrl]) {
        const { text, samples } = await scrape(url);
        for (const [name, type] of metricTypes(text)) {
          if (!name.startsWith("rankmill_")) continue;
          const seen = shown.get(name) ?? { type, labels: new Set<string>() };
          const own = (sample: { name: string }): boolean =>
            sample.name === name || sample.name.replace(/_(bucket|sum|count)$/, "") === name;
          for (const { labels } of samples.filter(own)) {
            for (const label of Object.keys(labels)) if (label !== "le") seen.labels.add(label);
          }
          shown.set(name, seen);
        }
      }
      return shown.get("rankmill_run_eta_seconds")?.labels.size === 2;
    });
    const sorted = (map: typeof shown) =>
      [...map].map(([name, { type, labels }]) => `${name} ${type} ${[...labels].sort().join()}`);
    expect(sorted(shown).sort()).toEqual(sorted(listed).sort());
  });

  it("count every pair, token and job once", async () => {
    const url = await metricsUrl(await worker());
    await submit(SAMPLE, "--wait");
    const now = await until("the last job was reported", async () => {
      const seen = await scrape(url);
      return seen.value("rankmill_jobs_total", { outcome: "done" }) === SAMPLE_RECORDS && seen;
    });
    expect(now.value("rankmill_pairs_total", { outcome: "scored" })).toBe(SAMPLE_PAIRS);
    expect(now.value("rankmill_pairs_total")).toBe(SAMPLE_PAIRS);
    expect(now.value("rankmill_queue_wait_seconds_count", { queue: "bulk" })).toBe(SAMPLE_RECORDS);
    expect(now.value("rankmill_tokenize_seconds_count")).toBe(SAMPLE_RECORDS);
    expect(now.value("rankmill_tokens_total", { kind: "text" })).toBe(67_984);
    expect(now.value("rankmill_batch_tokens_sum")).toBe(now.value("rankmill_tokens_total"));
    expect(now.value("rankmill_batch_wait_seconds_count")).toBe(
      now.value("rankmill_inference_seconds_count"),
    );
    expect(now.value("rankmill_lanes", { state: "ready" })).toBe(1);
    expect(now.value("rankmill_lanes")).toBe(1);
    expect(now.value("rankmill_ready")).toBe(1);
    expect(now.value("rankmill_refused_commits_total")).toBe(0);
    const memory = now.value("rankmill_memory_bytes", { part: "lanes" }) ?? 0;
    expect(memory).toBeGreaterThan(10_000_000);
    expect(memory).toBeLessThan(now.value("rankmill_memory_limit_bytes") ?? 0);
  });

  it.skipIf(!hasRealRedis)(
    "count what was taken back from a frozen worker, and what it sees when it wakes",
    async () => {
      const frozen = await worker("--concurrency 2 --max-batch-size 1");
      const frozenUrl = await metricsUrl(frozen);
      await submit(SAMPLE);
      await until("it has jobs in hand", async () => {
        return ((await scrape(frozenUrl)).value("rankmill_jobs_held") ?? 0) > 0;
      });
      await frozen.freeze();
      const url = await metricsUrl(await worker());
      await until("the other has taken them back and done them", async () => {
        const now = await scrape(url);
        const backlog = ["waiting", "active"].map((state) =>
          now.value("rankmill_backlog_jobs", { state }),
        );
        const stalled = now.value("rankmill_job_stalls_total") ?? 0;
        return stalled > 0 && backlog.every((jobs) => jobs === 0);
      });
      frozen.signal("SIGCONT");
      // It learns of the loss from its locks, or from the fence where it is quicker.
      await until("it has seen that it lost them", async () => {
        const now = await scrape(frozenUrl);
        const losses = now.value("rankmill_lock_losses_total") ?? 0;
        return losses + (now.value("rankmill_refused_commits_total") ?? 0) > 0;
      });
    },
  );

  it("show from the runner alone what waits while no worker is there", async () => {
    const first = await worker();
    first.signal("SIGTERM");
    await first.exited;
    const url = await metricsUrl(runner());
    await submit(SAMPLE);
    const now = await scrape(url);
    const bulk = { queue: "bulk", state: "waiting" };
    expect(now.value("rankmill_backlog_jobs", bulk)).toBe(SAMPLE_RECORDS);
    expect(now.value("rankmill_backlog_pairs", bulk)).toBe(SAMPLE_PAIRS);
    expect(now.value("rankmill_backlog_jobs", { ...bulk, queue: "interactive" })).toBe(0);
  });

  it("tell how far a run is that the runner owns, and nothing of it afterwards", async () => {
    const copies = hasRealRedis ? 6 : 1;
    writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, copies));
    await worker("--concurrency 3 --max-batch-size 1");
    const url = await metricsUrl(runner());
    const run = await submit("in.jsonl", `--spool ${bench.path("spool")}`);
    const under = await until("the run is under way", async () => {
      const now = await scrape(url);
      return (now.value("rankmill_run_eta_seconds", { run }) ?? 0) > 0 && now;
    });
    const records = (state: string): number =>
      under.value("rankmill_run_records", { run, state }) ?? NaN;
    expect(records("done") + records("remaining")).toBe(SAMPLE_RECORDS * copies);
    // From the pairs of the records that are done: near those of all, but not the same.
    const remaining = under.value("rankmill_run_remaining_pairs", { run }) ?? NaN;
    const expected = (SAMPLE_PAIRS / SAMPLE_RECORDS) * records("remaining");
    expect(remaining / expected).toBeGreaterThan(0.5);
    expect(remaining / expected).toBeLessThan(2);
    expect(under.value("rankmill_runs_owned")).toBe(1);
    await until("the run is over", async () => {
      const now = await scrape(url);
      return now.value("rankmill_run_records") === undefined && now.text.includes("_runs_owned 0");
    });
  });
});

describe("the probes", () => {
  it("say 200 of a worker that is of use", async () => {
    const url = await metricsUrl(await worker());
    for (const path of ["/healthz", "/readyz", "/readyz?verbose"]) {
      expect((await fetch(url + path)).status).toBe(200);
    }
    const head = await fetch(`${url}/metrics`, { method: "HEAD" });
    expect(head.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await head.text()).toBe("");
  });

  it.skipIf(!hasRealRedis)(
    "name Redis where it is gone, of worker and runner, and forgive it; metrics go on",
    async () => {
      const urls = [await metricsUrl(await worker()), await metricsUrl(runner())];
      for (const url of urls) {
        await until("it is ready", async () => (await fetch(`${url}/readyz`)).status === 200);
      }
      await redis.kill();
      for (const url of urls) {
        await until("it is not ready", async () => {
          const ready = await fetch(`${url}/readyz`);
          const reason = await ready.text();
          return ready.status === 503 && reason.startsWith("Redis has not answered for");
        });
        expect((await fetch(`${url}/healthz`)).status).toBe(200);
        const now = await scrape(url);
        expect(now.status).toBe(200);
        expect(now.value("rankmill_ready")).toBe(0);
        expect(now.value("rankmill_backlog_jobs")).toBeUndefined();
      }
      await redis.startAgain();
      for (const url of urls) {
        await until("it is ready", async () => (await fetch(`${url}/readyz`)).status === 200);
      }
    },
  );

  it("are alive and not ready while a worker starts", async () => {
    // Takes connections and says nothing: the start goes no further.
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
    const starting = bench.start(["worker", "--model", BUILTIN, ...METERED], { env });
    const url = await metricsUrl(starting);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, "not started yet, or stopping\n"]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await scrape(url)).value("rankmill_ready")).toBe(0);
    starting.signal("SIGKILL");
    await starting.exited;
    silent.close();
  });

  it("refuse to start on a port that is taken, or that is none", async () => {
    const url = await metricsUrl(await worker());
    const { port } = new URL(url);
    const taken = await startOn(port);
    expect(taken.stderr).toContain(
      `--metrics-port: cannot listen on 127.0.0.1 port ${port}: EADDRINUSE`,
    );
    expect(taken.code).toBe(2);
    const none = await startOn("65536");
    expect(none.stderr).toContain("--metrics-port:");
    expect(none.stderr).toContain("at most 65535");
    expect(none.code).toBe(2);
  });
});
