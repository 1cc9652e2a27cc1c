/** A real Prometheus of a test's own; Debian's package `prometheus` brings it and `promtool`. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./until.js";

export interface Target {
  readonly job: string;
  /** `http://host:port` */
  readonly url: string;
}

interface Answer<T> {
  readonly status: string;
  readonly error?: string;
  readonly data: T;
}

export type Vector = readonly {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}[];

export class TestPrometheus {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  /** Scrapes `targets` twice a second and evaluates `rules`, the path of a rule file, as often. */
  static async start(
    folder: string,
    port: number,
    targets: readonly Target[],
    rules: string,
  ): Promise<TestPrometheus> {
    // JSON is YAML.
    const config = {
      global: { scrape_interval: "500ms", scrape_timeout: "500ms", evaluation_interval: "500ms" },
      rule_files: [rules],
      scrape_configs: targets.map(({ job, url }) => ({
        job_name: job,
        static_configs: [{ targets: [new URL(url).host] }],
      })),
    };
    const path = join(folder, "prometheus.json");
    await writeFile(path, JSON.stringify(config));
    const url = `http://127.0.0.1:${port}`;
    const args = [`--config.file=${path}`, `--storage.tsdb.path=${join(folder, "tsdb")}`];
    args.push(`--web.listen-address=127.0.0.1:${port}`, "--log.level=error");
    const child = spawn("prometheus", args, { cwd: folder, stdio: "inherit" });
    await until("Prometheus is ready", async () => {
      if (child.exitCode !== null) throw new Error("Prometheus did not start");
      return await fetch(`${url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      );
    });
    return new TestPrometheus(url, child);
  }

  /** @throws Error with Prometheus' own words if it cannot parse the query */
  async query(promql: string): Promise<Vector> {
    const { result } = await this.#get<{ result: Vector }>("query", { query: promql });
    return result;
  }

  async rules(): Promise<readonly { name: string; health: string; state: string }[]> {
    const { groups } = await this.#get<{
      groups: { rules: { name: string; health: string; state: string }[] }[];
    }>("rules", {});
    return groups.flatMap(({ rules }) => rules);
  }

  async close(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
  }

  async #get<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const query = new URLSearchParams(parameters).toString();
    const response = await fetch(`${this.url}/api/v1/${path}?${query}`);
    const { status, error, data } = (await response.json()) as Answer<T>;
    if (status !== "success") throw new Error(`${parameters["query"] ?? path}: ${error ?? ""}`);
    return data;
  }
}
