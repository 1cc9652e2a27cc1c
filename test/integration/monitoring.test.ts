/** The dashboard's and the alerts' queries, asked of a real Prometheus that scrapes real processes. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLE, type RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { metricsUrl } from "../support/metrics.js";
import { given, prometheus as prometheusServer, realRedis } from "../support/needs.js";
import { TestPrometheus } from "../support/prometheus.js";
import { multiply, writeRecords } from "../support/records.js";
import { freePort } from "../support/redis-server.js";
import { until } from "../support/until.js";

const file = (name: string): string =>
  fileURLToPath(new URL(`../../docker/monitoring/${name}`, import.meta.url));
const ALERTS = file("alerts.yml");
const CONFIG = file("prometheus.yml");
const SCALING = file("../kubernetes/overlays/keda/scaledobject.yaml");
const COPIES = 100;
/** The run goes on this slowly, so that it is under way for as long as the tests ask: some minutes. */
const MESSAGE_INTERVAL_MS = 50;

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

describe("the monitoring", given(prometheusServer, realRedis), () => {
  const fleet = useFleet({
    shared: "everything",
    env: () => ({ RANKMILL_METRICS_PORT: "0" }),
  });
  let goingOn: NodeJS.Timeout;
  let prometheus: TestPrometheus;
  let worker: RunningCli;

  beforeAll(async () => {
    worker = await fleet.worker("--lanes 1 --concurrency 2 --max-batch-size 1 --no-calibrate");
    fleet.gate.hold();
    goingOn = setInterval(() => fleet.gate.hold(1), MESSAGE_INTERVAL_MS);
    const spool = ["--spool", fleet.bench.path("spool")];
    const runner = fleet.bench.start(["runner", ...spool]);
    prometheus = await TestPrometheus.start(
      fleet.bench.folder,
      await freePort(),
      [
        { job: "rankmill-worker", url: await metricsUrl(worker) },
        { job: "rankmill-runner", url: await metricsUrl(runner) },
      ],
      ALERTS,
    );
    writeRecords(fleet.bench.path("in.jsonl"), multiply(SAMPLE, COPIES));
    await fleet.submit("in.jsonl", spool.join(" "));
  });
  afterAll(async () => {
    clearInterval(goingOn);
    await prometheus.close();
  });

  it("promtool accepts the configuration and the rules", () => {
    execFileSync("promtool", ["check", "config", CONFIG]);
    execFileSync("promtool", ["check", "rules", ALERTS]);
    const jobs = [...readFileSync(CONFIG, "utf8").matchAll(/job_name: (\S+)/g)];
    expect(jobs.map(([, name]) => name)).toEqual(["rankmill-worker", "rankmill-runner"]);
  });

  it("every panel of the dashboard has data while a run is under way", async () => {
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
  });

  it("the queries that scale workers have data", async () => {
    const manifest = readFileSync(SCALING, "utf8");
    const scaling = [...manifest.matchAll(/query: (.+)/g)].map(([, query = ""]) => query);
    expect(scaling).toHaveLength(2);
    for (const query of scaling) {
      await until(`there are pairs in ${query}`, async () => {
        const [found] = await prometheus.query(query);
        return Number(found?.value[1]) > 0;
      });
    }
  });

  it("every alert is evaluated, on metrics that are there", async () => {
    const names = [...readFileSync(ALERTS, "utf8").matchAll(/- alert: (\w+)/g)];
    const rules = await until("every rule was evaluated", async () => {
      const now = await prometheus.rules();
      return now.every(({ health }) => health !== "unknown") && now;
    });
    expect(new Set(rules.map(({ name }) => name))).toEqual(new Set(names.map(([, name]) => name)));
    expect(rules).toHaveLength(names.length);
    expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
    const metrics = readFileSync(ALERTS, "utf8").match(/\b(rankmill|nodejs)_\w+\b/g) ?? [];
    expect(metrics.length).toBeGreaterThan(10);
    for (const name of new Set(metrics)) {
      await until(`there is ${name}`, async () => (await prometheus.query(name)).length > 0);
    }
  });

  it("the alerts of a model that nobody serves any more are raised", async () => {
    worker.signal("SIGKILL");
    await worker.exited;
    for (const alert of ["RankmillTargetDown", "RankmillNobodyServes"]) {
      await until(`${alert} is on its way`, async () =>
        (await prometheus.rules()).some(
          ({ name, state }) => name === alert && state !== "inactive",
        ),
      );
    }
  });
});
