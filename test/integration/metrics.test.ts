/** The metrics and probes of a worker and a runner over HTTP, on real parts. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { BUILTIN, SAMPLE, type CliExit, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { metricsUrl, metricTypes, scrape } from "../support/metrics.js";
import { multiply, writeRecords } from "../support/records.js";
import { until } from "../support/until.js";
import { given, longTests, realRedis } from "../support/needs.js";

const DOCS = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
const SAMPLE_RECORDS = 54;
const SAMPLE_PAIRS = 1_209;

const fleet = useFleet({ shared: "nothing" });

const worker = (more = ""): Promise<RunningCli> =>
  fleet.worker(`--lanes 1 --no-calibrate --metrics-port 0 ${more}`);
const runner = (): RunningCli =>
  fleet.bench.start(["runner", "--spool", fleet.bench.path("spool"), "--metrics-port", "0"]);
const startOn = (port: string): Promise<CliExit> =>
  fleet.run(["worker", "--model", BUILTIN, "--metrics-port", port]);
describe("the metrics", () => {
  it("the metrics of worker and runner are those that docs/metrics.md lists, with their types and labels", async () => {
    const workerUrl = await metricsUrl(await worker());
    const runnerUrl = await metricsUrl(runner());
    fleet.gate.hold();
    await fleet.submit(SAMPLE, `--spool ${fleet.bench.path("spool")}`);
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
    await fleet.gate.stepUntil("every metric was seen", async () => {
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

  it("the metrics of a worker count every pair, token and job once", async () => {
    const url = await metricsUrl(await worker());
    await fleet.submit(SAMPLE, "--wait");
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

  it(
    "the metrics count the jobs that are taken back from a frozen worker, and those that it lost when it wakes",
    given(realRedis),
    async () => {
      const frozen = await worker("--concurrency 2");
      const frozenUrl = await metricsUrl(frozen);
      fleet.gate.hold();
      await fleet.submit(SAMPLE);
      await until("it has jobs in hand", async () => {
        return ((await scrape(frozenUrl)).value("rankmill_jobs_held") ?? 0) > 0;
      });
      await frozen.freeze();
      fleet.gate.release();
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
      // It learns of the loss from its locks, or from the fence if it is quicker.
      await until("it has seen that it lost them", async () => {
        const now = await scrape(frozenUrl);
        const losses = now.value("rankmill_lock_losses_total") ?? 0;
        return losses + (now.value("rankmill_refused_commits_total") ?? 0) > 0;
      });
    },
  );

  it("the metrics of a runner show the jobs that wait while no worker is there", async () => {
    const first = await worker();
    first.signal("SIGTERM");
    await first.exited;
    const url = await metricsUrl(runner());
    await fleet.submit(SAMPLE);
    const now = await scrape(url);
    const bulk = { queue: "bulk", state: "waiting" };
    expect(now.value("rankmill_backlog_jobs", bulk)).toBe(SAMPLE_RECORDS);
    expect(now.value("rankmill_backlog_pairs", bulk)).toBe(SAMPLE_PAIRS);
    expect(now.value("rankmill_backlog_jobs", { ...bulk, queue: "interactive" })).toBe(0);
  });

  it(
    "the metrics of a runner tell how far its run is, and nothing of the run afterwards",
    given(longTests),
    async () => {
      const copies = 2;
      writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, copies));
      await worker("--concurrency 3 --max-batch-size 1");
      fleet.gate.hold();
      const url = await metricsUrl(runner());
      const run = await fleet.submit("in.jsonl", `--spool ${fleet.bench.path("spool")}`);
      const under = await fleet.gate.stepUntil("the runner can tell how far it is", async () => {
        const now = await scrape(url);
        return (now.value("rankmill_run_eta_seconds", { run }) ?? 0) > 0 && now;
      });
      const records = (state: string): number =>
        under.value("rankmill_run_records", { run, state }) ?? NaN;
      expect(records("done") + records("remaining")).toBe(SAMPLE_RECORDS * copies);
      // The estimate comes from the pairs of the records that are done: near those of all, but not the same.
      const remaining = under.value("rankmill_run_remaining_pairs", { run }) ?? NaN;
      const expected = (SAMPLE_PAIRS / SAMPLE_RECORDS) * records("remaining");
      expect(remaining / expected).toBeGreaterThan(0.5);
      expect(remaining / expected).toBeLessThan(2);
      expect(under.value("rankmill_runs_owned")).toBe(1);
      fleet.gate.release();
      await until("the run is over", async () => {
        const now = await scrape(url);
        return (
          now.value("rankmill_run_records") === undefined && now.text.includes("_runs_owned 0")
        );
      });
    },
  );
});

describe("the probes", () => {
  it("the probes of a worker that is of use answer with 200", async () => {
    const url = await metricsUrl(await worker());
    for (const path of ["/healthz", "/readyz", "/readyz?verbose"]) {
      expect((await fetch(url + path)).status).toBe(200);
    }
    const head = await fetch(`${url}/metrics`, { method: "HEAD" });
    expect(head.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await head.text()).toBe("");
  });

  it(
    "the probes of worker and runner name a Redis that is gone and forgive it, and metrics go on",
    given(realRedis),
    async () => {
      const urls = [await metricsUrl(await worker()), await metricsUrl(runner())];
      for (const url of urls) {
        await until("it is ready", async () => (await fetch(`${url}/readyz`)).status === 200);
      }
      await fleet.server.kill();
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
      await fleet.server.startAgain();
      for (const url of urls) {
        await until("it is ready", async () => (await fetch(`${url}/readyz`)).status === 200);
      }
    },
  );

  it("the probes of a worker that starts say that it is alive and not ready", async () => {
    // Takes connections and says nothing: the start goes no further.
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
    const starting = fleet.bench.start(["worker", "--model", BUILTIN, "--metrics-port", "0"], {
      env,
    });
    const url = await metricsUrl(starting);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, "not started yet, or stopping\n"]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await scrape(url)).value("rankmill_ready")).toBe(0);
    starting.signal("SIGKILL");
    await starting.exited;
    silent.close();
  });

  it(
    "a worker refuses a metrics port that is taken or that is none",
    given(longTests),
    async () => {
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
    },
  );
});
