import type { Logger } from "pino";
import { describeError, RankmillError } from "../../core/errors.js";
import { FitnessWatch, type FitnessSources } from "../../telemetry/fitness-watch.js";
import { option, wording } from "../../core/wording.js";
import { removeHealth, writeHealth } from "../../telemetry/health-file.js";
import type { Instruments } from "./instruments.js";

export interface ProcessFitnessOptions {
  /** File that the process updates every few seconds with its fitness; none if absent. */
  readonly healthFile?: string | undefined;
  readonly instruments?: Instruments | undefined;
  readonly logger: Logger;
}

/**
 * The fitness of a worker or runner, in its health file and behind `/readyz`.
 *
 * *starting*: says so, and knows that the file can be written → `watch` → *watching*: one judge
 * decides → `stop` → *stopped*: not ready, and the file is gone.
 */
export class ProcessFitness {
  readonly #options: ProcessFitnessOptions;
  #watch: FitnessWatch | undefined;

  private constructor(options: ProcessFitnessOptions) {
    this.#options = options;
  }

  /** @throws RankmillError `place_unusable` if the health file cannot be written */
  static async open(options: ProcessFitnessOptions): Promise<ProcessFitness> {
    const { healthFile } = options;
    if (healthFile !== undefined) {
      const at = Date.now();
      const nothing = { lanes: null, held: 0, waiting: 0, degraded: null };
      const reason = "not started yet";
      await unusable(writeHealth(healthFile, { at, progressAt: at, ...nothing, reason }));
    }
    return new ProcessFitness(options);
  }

  /**
   * Judges by `sources` from now on.
   *
   * @throws RankmillError `place_unusable` if the health file cannot be written any more
   */
  async watch(sources: FitnessSources): Promise<void> {
    const { healthFile, instruments, logger } = this.#options;
    const watch = new FitnessWatch(sources);
    const watching = watch.start(
      async (report) => {
        if (healthFile !== undefined) await writeHealth(healthFile, report);
      },
      (error) => logger.warn({ err: error }, "health file not written"),
    );
    await unusable(watching);
    this.#watch = watch;
    instruments?.judgeBy(watch);
  }

  /** Hears that a batch or a job has ended. */
  progressed(): void {
    this.#watch?.progressed();
  }

  async stop(): Promise<void> {
    const { healthFile, instruments } = this.#options;
    instruments?.judgeBy(undefined);
    await this.#watch?.stop();
    if (healthFile !== undefined) await removeHealth(healthFile);
  }
}

async function unusable(writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    const { message } = describeError(error);
    throw new RankmillError("place_unusable", wording`${option("healthFile")}: ${message}`, {
      field: "healthFile",
      cause: error,
    });
  }
}
