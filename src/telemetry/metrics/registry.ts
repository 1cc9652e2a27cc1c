import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type MetricConfiguration,
} from "prom-client";

/**
 * The metrics of one process. Values that are looked up, not counted, are set by hooks at each
 * scrape; scrapes at the same time share one, so that many cost no more than one.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #hooks: (() => void | Promise<void>)[] = [];
  #rendering: Promise<string> | undefined;

  /** @param version of rankmill */
  constructor(version: string) {
    collectDefaultMetrics({ register: this.#registry });
    const labels = { version, node: process.versions.node };
    this.gauge("build_info", "The versions that run here; always 1", ["version", "node"]).set(
      labels,
      1,
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter(this.#describe(name, help, labelNames));
  }

  gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge(this.#describe(name, help, labelNames));
  }

  histogram<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    return new Histogram({ ...this.#describe(name, help, labelNames), buckets: [...buckets] });
  }

  /** `hook` sets gauges before each scrape; it never rejects and never hangs. */
  onScrape(hook: () => void | Promise<void>): void {
    this.#hooks.push(hook);
  }

  /** Prometheus' text form. */
  async render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined;
    });
    return await this.#rendering;
  }

  async #render(): Promise<string> {
    await Promise.all(this.#hooks.map(async (hook) => await hook()));
    return await this.#registry.metrics();
  }

  #describe<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
  ): MetricConfiguration<L> {
    return { name: `rankmill_${name}`, help, labelNames, registers: [this.#registry] };
  }
}
