import type { Limits } from "../../core/contract.js";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../core/in-flight-bounds.js";
import type { ModelKey, ScoringOptions } from "../../core/job.js";
import type { RecordSource } from "../../core/ports/record-source.js";
import { DEFAULT_RUN_TTL_SECONDS } from "../../core/run-ttl.js";
import { resolveScoring } from "../../core/scoring.js";
import { GivenRecords, type GivenRecord } from "../../inputs/given-records.js";
import type { InputFormatName } from "../../inputs/formats/registry.js";
import { openSource } from "../../inputs/open-source.js";
import type { Run, RunCall, RunSummary } from "../runs/run.js";
import type { Runs } from "../runs/runs.js";
import { submitRun } from "../runs/submit-run.js";
import { checkCall, orAborted, untilAborted } from "./call-options.js";
import { checkModel, checkText } from "./check-given.js";
import type { KnownModel } from "./open-models.js";
import { scoringFor } from "./scoring-for.js";

/** The records of a run: the path of a JSONL file, plain, gzip or zstd; or the records themselves. */
export type RunInput = string | Iterable<GivenRecord> | AsyncIterable<GivenRecord>;

/** The way in which a run is scored and kept. */
export interface SubmitOptions extends Partial<Omit<ScoringOptions, "maxLength">> {
  /** Name or alias of a model that a worker serves; or exactly which, if several could be meant. */
  readonly model: string | ModelKey;
  /** Tokens of an encoded pair. @defaultValue the model's own */
  readonly maxLength?: number;
  /** Results of each record that names no number of its own. @defaultValue all */
  readonly topN?: number;
  /** Shape of a file's lines. @defaultValue "auto": each line's own */
  readonly format?: InputFormatName;
  /**
   * The run's id: letters, digits, `.`, `_` and `-`, 128 at most.
   *
   * @defaultValue derived from a file's bytes and the settings, so that the same is the same run;
   *   random for records
   */
  readonly run?: string;
  /** Seconds that Redis keeps the run and its rankings. @defaultValue one week */
  readonly ttlSeconds?: number;
  /**
   * True: the run lies in the client's spool, a runner works it off, and Redis holds `inFlightJobs` of
   * its jobs at most. False: all of it lies in Redis.
   *
   * @defaultValue whether the client has a spool
   */
  readonly spooled?: boolean;
  /** Jobs of a spooled run in Redis at once, at most. */
  readonly inFlightJobs?: number;
  /**
   * Ends the submission when it aborts. Records that are in by then are ranked; the same file, submitted
   * again under the same settings, goes on.
   */
  readonly signal?: AbortSignal | undefined;
  /** Called every few hundred records with how many were taken in so far. */
  readonly onProgress?: (records: number) => void;
  /** Called with what one should know of the input and need not act on. */
  readonly onNote?: (text: string) => void;
}

type FindModel = (model: string | ModelKey) => Promise<KnownModel>;

/** The submitted runs on a client's Redis. */
export class ClientRuns {
  readonly #runs: Runs;
  readonly #limits: Limits;
  readonly #spooling: boolean;
  readonly #findModel: FindModel;

  /** Use {@link Client.runs}. */
  constructor(runs: Runs, limits: Limits, spooling: boolean, findModel: FindModel) {
    this.#runs = runs;
    this.#limits = limits;
    this.#spooling = spooling;
    this.#findModel = findModel;
  }

  /**
   * Submits a run; workers do the rest. A record that cannot be a job fails alone, and is told by
   * `failures()` of the run. Resolves once all records are taken in, not once they are ranked.
   *
   * @throws RankmillError `model_not_found`; `invalid_field` or `limit_exceeded` for an option;
   *   `input_unusable` for a file that cannot be read; `conflict` for an id that means another run;
   *   `cancelled` if
   *   another cancels the run meanwhile; `redis_unavailable`, `spool_unavailable`; the signal's reason
   */
  async submit(input: RunInput, options: SubmitOptions): Promise<Run> {
    const { signal } = options;
    checkCall({ signal });
    checkModel(options.model);
    const given = typeof input === "object" && input !== null;
    if (!given) checkText("input", input);
    signal?.throwIfAborted();
    const model = await orAborted(this.#findModel(options.model), signal);
    const source = await this.#source(input, model.name, options);
    return await orAborted(this.#submit(input, model, source, options), signal);
  }

  async #submit(
    input: RunInput,
    model: KnownModel,
    source: RecordSource,
    options: SubmitOptions,
  ): Promise<Run> {
    const { onProgress, spooled = this.#spooling, topN, signal } = options;
    const scoring = resolveScoring(scoringFor(options, model));
    try {
      const { run } = await submitRun(
        {
          source: signal === undefined ? source : stoppable(source, signal),
          input: typeof input === "string" ? input : "records of a program",
          model,
          scoring,
          topN: topN === 0 ? undefined : topN,
          run: options.run,
          ttlSeconds: options.ttlSeconds ?? DEFAULT_RUN_TTL_SECONDS,
          inFlightJobs: options.inFlightJobs ?? DEFAULT_IN_FLIGHT_BOUNDS.maxJobs,
          spool: spooled ? await this.#runs.spool() : undefined,
          ...(onProgress && { onProgress: (_: string, records: number) => onProgress(records) }),
        },
        this.#runs,
      );
      return run;
    } finally {
      await source.close();
    }
  }

  /** Opens a run that was submitted here or elsewhere. @throws RankmillError if there is none */
  async open(id: string, { signal }: RunCall = {}): Promise<Run> {
    return await orAborted(this.#runs.open(id), signal);
  }

  /** Lists the runs there are, the newest first; reads on as far as you do. */
  list({ signal }: RunCall = {}): AsyncGenerator<RunSummary, void, undefined> {
    return untilAborted(this.#runs.list(), signal);
  }

  /**
   * Removes a run as {@link Run.purge} does, and from the spool also if Redis has forgotten it.
   *
   * @throws RankmillError if there is no such run, or it is under way and `force` is not set
   */
  async purge(id: string, options: { readonly force?: boolean } & RunCall = {}): Promise<void> {
    await orAborted(this.#runs.purge(id, options), options.signal);
  }

  async #source(
    input: RunInput,
    modelName: string,
    { format = "auto", topN, onNote = () => {} }: SubmitOptions,
  ): Promise<RecordSource> {
    if (typeof input !== "string") return new GivenRecords(input, this.#limits, topN);
    const choice = {
      input,
      format,
      firstStage: undefined,
      depth: undefined,
      split: undefined,
      docFields: [],
      indexDir: "",
    };
    return await openSource(choice, {
      limits: this.#limits,
      topN,
      stdin: process.stdin,
      onNote,
      modelNames: () => [modelName],
    });
  }
}

/** The same source; its records end with the signal's reason. */
function stoppable(source: RecordSource, signal: AbortSignal): RecordSource {
  return {
    read: (doneIds) => untilAborted(source.read(doneIds), signal),
    count: () => source.count(),
    addTo: (hash) => source.addTo(hash),
    close: () => source.close(),
  };
}
