/** The dashboard's and the alerts' queries, asked of a real Prometheus that scrapes real processes. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bench, BUILTIN, SAMPLE, words, type RunningCli } from "../support/cli.js";
import { metricsUrl } from "../support/metrics.js";
import { hasPrometheus, TestPrometheus } from "../support/prometheus.js";
import { multiply, writeRecords } from "../support/records.js";
import { freePort, hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";

const file = (name: string): string =>
  fileURLToPath(new URL(`../../docker/monitoring/${name}`, import.meta.url));
const ALERTS = file("alerts.yml");
const CONFIG = file("prometheus.yml");
const SCALING = file("../kubernetes/overlays/keda/scaledobject.yaml");
/** Long enough to be under way for as long as the test asks. */
const COPIES = 200;
const TIMEOUT_MS = 180_000;

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(readFileSync(file("grafana/dashboards/rankmill.json"), "utf8")) as {
  readonly panels: readonly Panel[];
};
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

describe.skipIf(!hasPrometheus || !hasRealRedis)("the monitoring", () => {
  let redis: TestRedis;
  let bench: Bench;
  let prometheus: TestPrometheus;
  let worker: RunningCli;

  beforeAll(async () => {
    redis = await TestRedis.start();
    bench = await Bench.open({ REDIS_URL: redis.url, RANKMILL_METRICS_PORT: "0" });
    const slow = words("--lanes 1 --concurrency 2 --max-batch-size 1");
    worker = await bench.worker(["--model", BUILTIN, ...slow]);
    const spool = ["--spool", bench.path("spool")];
    const runner = bench.start(["runner", ...spool]);
    prometheus = await TestPrometheus.start(
      bench.folder,
      await freePort(),
      [
        { job: "rankmill-worker", url: await metricsUrl(worker) },
        { job: "rankmill-runner", url: await metricsUrl(runner) },
      ],
      ALERTS,
    );
    writeRecords(bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
    const submitted = ["submit", "--model", BUILTIN, "--input", "in.jsonl", ...spool];
    const { code, stderr } = await bench.run(submitted);
    if (code !== 0) throw new Error(stderr);
  });
  afterAll(async () => {
    await prometheus.close();
    await bench.close();
    await redis.close();
  });

  it("has a configuration and rules that promtool accepts", () => {
    execFileSync("promtool", ["check", "config", CONFIG]);
    execFileSync("promtool", ["check", "rules", ALERTS]);
    const jobs = [...readFileSync(CONFIG, "utf8").matchAll(/job_name: (\S+)/g)];
    expect(jobs.map(([, name]) => name)).toEqual(["rankmill-worker", "rankmill-runner"]);
  });

  it(
    "gives data to every panel of the dashboard while a run is under way",
    async () => {
      expect(queries.length).toBeGreaterThan(25);
      const silent = new Map(queries.map(({ title, expr }) => [expr, title]));
      await until(
        "every query has given data",
        async () => {
          for (const expr of silent.keys()) {
            const promql = expr
              .replaceAll("$model", ".*")
              .replaceAll("$__rate_interval", "5s")
              .replaceAll("[5m]", "[5s]");
            if ((await prometheus.query(promql)).length > 0) silent.delete(expr);
          }
          return silent.size === 0;
        },
        () => JSON.stringify(Object.fromEntries(silent), null, 2),
      );
    },
    TIMEOUT_MS,
  );

  it(
    "gives data to the queries that scale workers",
    async () => {
      const manifest = readFileSync(SCALING, "utf8");
      const scaling = [...manifest.matchAll(/query: (.+)/g)].map(([, query = ""]) => query);
      expect(scaling).toHaveLength(2);
      for (const query of scaling) {
        await until(`there are pairs in ${query}`, async () => {
          const [found] = await prometheus.query(query);
          return Number(found?.value[1]) > 0;
        });
      }
    },
    TIMEOUT_MS,
  );

  it(
    "evaluates every alert, on metrics that are there",
    async () => {
      const names = [...readFileSync(ALERTS, "utf8").matchAll(/- alert: (\w+)/g)];
      const rules = await until("every rule was evaluated", async () => {
        const now = await prometheus.rules();
        return now.every(({ health }) => health !== "unknown") && now;
      });
      expect(new Set(rules.map(({ name }) => name))).toEqual(
        new Set(names.map(([, name]) => name)),
      );
      expect(rules).toHaveLength(names.length);
      expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
      const metrics = readFileSync(ALERTS, "utf8").match(/\b(rankmill|nodejs)_\w+\b/g) ?? [];
      expect(metrics.length).toBeGreaterThan(10);
      for (const name of new Set(metrics)) {
        await until(`there is ${name}`, async () => (await prometheus.query(name)).length > 0);
      }
    },
    TIMEOUT_MS,
  );

  it(
    "raises the alerts of a model that nobody serves any more",
    async () => {
      worker.signal("SIGKILL");
      await worker.exited;
      for (const alert of ["RankmillTargetDown", "RankmillNobodyServes"]) {
        await until(`${alert} is on its way`, async () =>
          (await prometheus.rules()).some(
            ({ name, state }) => name === alert && state !== "inactive",
          ),
        );
      }
    },
    TIMEOUT_MS,
  );
});
