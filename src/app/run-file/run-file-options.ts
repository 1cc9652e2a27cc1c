import type { RedisTarget } from "../../redis/redis-address.js";
import type { Logger } from "pino";
import type { Limits } from "../../core/contract.js";
import type { InFlightBounds } from "../../core/in-flight-bounds.js";
import type { ResolvedScoring } from "../../core/job.js";
import type { OutputFormat } from "../../core/ports/output-format.js";
import type { RecordSource } from "../../core/ports/record-source.js";
import type { TokenizerChoice } from "../../tokenizers/kinds/registry.js";
import type { RecordFailure } from "../../core/record.js";
import type { RunCounts } from "../../core/run-counts.js";
import type { WorkerDevice } from "../../inference/devices/registry.js";
import type { WorkerRuntime } from "../../inference/runtime/registry.js";
import type { PlaceRead } from "../../inputs/places-read.js";
import type { ResolvedModel } from "../../models/resolve.js";
import type { RunSettings } from "../../outputs/manifest.js";
import type { OutputPaths } from "../../outputs/output-paths.js";
import type { LaneOptions } from "../worker/worker-options.js";

export interface RunFileOptions {
  /** A name for messages and the manifest. */
  readonly input: string;
  /** Every place that is read: none of them is written. */
  readonly reads: readonly PlaceRead[];
  /** The records of the input. */
  readonly source: RecordSource;
  /** Settings from which the texts of a collection are made; nulls for other inputs. */
  readonly sourceSettings: Pick<RunSettings, "depth" | "docFields">;
  readonly format: OutputFormat;
  /** A path, or `-` for standard output. */
  readonly output: string;
  readonly model: ResolvedModel;
  readonly device: WorkerDevice;
  /** Default: ONNX Runtime. */
  readonly runtime?: WorkerRuntime | undefined;
  /** Undefined: the model runs as it is. */
  readonly preparedDir: string | undefined;
  readonly scoring: ResolvedScoring;
  readonly topN: number | undefined;
  readonly limits: Limits;
  readonly inFlight: InFlightBounds;
  readonly forceNew: boolean;
  /** Undefined: the run starts a private one. */
  readonly redis: RedisTarget | undefined;
  readonly lanes: LaneOptions;
  readonly tokenizer: TokenizerChoice;
  /** Time for the jobs in hand when the run is interrupted; never more than half a second is taken. */
  readonly drainTimeoutMs: number;
  readonly logger: Logger;
  /** Variables of the process: of the search path, and of lanes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly show: ShowRun;
  /** Aborts when the run is to be interrupted. */
  readonly signal: AbortSignal;
}

/** The progress of a run. */
export interface RunFigures extends Readonly<RunCounts> {
  /** Records and lines of the input; undefined while its end is not known. */
  readonly total: number | undefined;
}

/** An event of a run from file to file, for the part that shows it. */
export type RunFileEvent =
  /** A private Redis could not be started as wanted, or lacks something. */
  | { readonly type: "redis-warning"; readonly message: string }
  /** A private Redis runs. */
  | { readonly type: "redis-started"; readonly note: string }
  /** The output of an earlier start is gone on with. */
  | { readonly type: "resumed"; readonly path: string; readonly done: number }
  /** The earlier start had another input. */
  | { readonly type: "input-changed"; readonly input: string | undefined }
  /** Rankings of the earlier start that are left out, and their records ranked anew. */
  | { readonly type: "rankings-damaged"; readonly path: string; readonly count: number }
  /** Records that the earlier start's output held twice. */
  | { readonly type: "rankings-twice"; readonly path: string; readonly count: number }
  | { readonly type: "input-empty"; readonly input: string }
  /** The output has something to say of its rankings. */
  | { readonly type: "output-note"; readonly text: string }
  /** A record failed, and there is no file for failures. */
  | { readonly type: "record-failed"; readonly failure: RecordFailure }
  /** The run was interrupted: jobs in hand are finished, or left for the next start. */
  | {
      readonly type: "stopping";
      /** Jobs that the worker has begun. */
      readonly inHand: number;
      readonly mostSeconds: number;
    }
  /** Redis is connected and does not answer; told again each time that it falls silent. */
  | { readonly type: "redis-silent"; readonly silentMs: number }
  | { readonly type: "redis-answers"; readonly silentMs: number };

/** The place at which a run shows itself: a terminal, a page, nowhere. */
export interface ShowRun {
  onEvent(event: RunFileEvent): void;
  /** Takes the rankings if they go to no file. */
  readonly rankings: NodeJS.WritableStream;
  /** Shows progress from now on. @returns what ends it; safe to call twice */
  progress(figures: () => RunFigures): { stop(): void };
}

export interface RunFileResult {
  readonly status: "complete" | "interrupted";
  readonly counts: Readonly<RunCounts>;
  /** Pairs of the counts that were scored before this process went on. */
  readonly pairsBefore: number;
  /** Undefined if the rankings went to standard output, or the run was interrupted before its output was opened. */
  readonly paths: OutputPaths | undefined;
  /** The first few records that failed. */
  readonly firstFailures: readonly RecordFailure[];
}
