/** Prometheus' text form, read back. */
import type { RunningCli } from "./cli.js";

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE_LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

/** @throws Error at a line that is none of the format */
export function parseMetrics(text: string): Sample[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", labels = "", value = ""] = SAMPLE_LINE.exec(line) ?? [];
      if (name === "" || value === "") throw new Error(`no sample: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key = "", text = ""]) => [key, text])),
        value: Number(value),
      };
    });
}

/** Types by name, as `# TYPE` lines tell them. */
export function metricTypes(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
}

/** The address at which a worker or runner with `--metrics-port 0` serves. */
export async function metricsUrl(running: RunningCli): Promise<string> {
  await running.says(`"msg":"serving metrics"`);
  const line = running.stdout.split("\n").find((one) => one.includes(`"msg":"serving metrics"`));
  const { host, port } = JSON.parse(line ?? "") as { host: string; port: number };
  return `http://${host}:${port}`;
}

/** The metrics of one process at one moment. */
export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`);
  return new Scrape(await response.text(), response.status);
}

export class Scrape {
  readonly text: string;
  readonly status: number;
  readonly samples: readonly Sample[];

  constructor(text: string, status: number) {
    this.text = text;
    this.status = status;
    this.samples = parseMetrics(text);
  }

  /** Sum of the samples that have these labels; undefined if there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples.filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }
}

/** Pairs that a worker has scored. */
export async function pairsScored(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^rankmill_pairs_total\{.*outcome="scored"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}
