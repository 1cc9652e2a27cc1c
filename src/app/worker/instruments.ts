/** The metrics and the readiness that a worker or runner shows over HTTP. */
import type { Logger } from "pino";
import { InstrumentServer } from "../../telemetry/http-server.js";
import { Metrics } from "../../telemetry/metrics/registry.js";
import { packageVersion } from "../../platform/package-root.js";

export interface InstrumentsOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logger: Logger;
}

/** Judges whether a process is of use; null if it is. */
export interface Judge {
  report(): Promise<{ readonly reason: string | null }>;
}

/** Open before there is anything to show, so that probes of a slow start are answered. */
export class Instruments {
  readonly metrics = new Metrics(packageVersion());
  #watch: Judge | undefined;
  #server: InstrumentServer | undefined;

  private constructor() {}

  /** @throws RankmillError `place_unusable` if the address cannot be had */
  static async open({ host, port, logger }: InstrumentsOptions): Promise<Instruments> {
    const instruments = new Instruments();
    const { metrics } = instruments;
    const unfitReason = (): Promise<string | undefined> => instruments.#unfitReason();
    const ready = metrics.gauge("ready", "1 if the process is healthy, as /readyz tells", []);
    metrics.onScrape(async () => ready.set((await unfitReason()) === undefined ? 1 : 0));
    const server = await InstrumentServer.listen({ host, port, unfitReason, metrics });
    instruments.#server = server;
    logger.info({ host: server.address.address, port: server.address.port }, "serving metrics");
    return instruments;
  }

  /** From now on `watch` decides whether the process is ready. */
  judgeBy(watch: Judge | undefined): void {
    this.#watch = watch;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  async #unfitReason(): Promise<string | undefined> {
    if (this.#watch === undefined) return "not started yet, or stopping";
    return (await this.#watch.report()).reason ?? undefined;
  }
}
