import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { failureLine } from "../core/record.js";
import { SCHEMA_MAJOR, type Limits } from "../core/contract.js";
import { RankmillError } from "../core/errors.js";
import type { ResolvedScoring } from "../core/job.js";
import type { TokenizerChoice } from "../core/ports/tokenizer.js";
import { REDIS_GUARDIAN_ENTRY } from "../platform/process-entries.js";
import { packageVersion } from "../platform/package-root.js";
import type { WorkerDevice } from "../inference/devices/registry.js";
import type { ResolvedModel } from "../models/resolve.js";
import { connectRedis } from "../redis/connection.js";
import { makeJob } from "../redis/make-job.js";
import { startPrivateRedis, type PrivateRedis } from "../redis/private-server/private-redis.js";
import { RedisFeedingBoard } from "../redis/feeding-board.js";
import { RedisJobQueue } from "../redis/redis-job-queue.js";
import { RedisResultStore } from "../redis/redis-result-store.js";
import { Feeder } from "../runs/feeder.js";
import type { RankingSink } from "../core/ports/ranking-sink.js";
import type { OutputFormat } from "../core/ports/output-format.js";
import type { Manifest, RunSettings } from "../outputs/manifest.js";
import type { RunCounts } from "../core/run-counts.js";
import type { OutputPaths } from "../outputs/output-paths.js";
import { UNKNOWN_DIGEST } from "../outputs/ranking-sums.js";
import { RunOutput } from "../outputs/run-output.js";
import { StreamOutput } from "../outputs/stream-output.js";
import type { PlaceRead } from "../inputs/places-read.js";
import { digestOf } from "../inputs/digest-source.js";
import type { RecordSource } from "../core/ports/record-source.js";
import type { InFlightBounds } from "../core/in-flight-bounds.js";
import type { LaneOptions, RunningWorker } from "./worker/worker-options.js";
import { option, wording, type Wording } from "../core/wording.js";

export interface RunFileOptions {
  /** For messages and the manifest. */
  readonly input: string;
  /** Every place that is read: none of them is written. */
  readonly reads: readonly PlaceRead[];
  /** The records of the input. */
  readonly source: RecordSource;
  /** What the texts of a collection are made of; nulls for other inputs. */
  readonly sourceSettings: Pick<RunSettings, "depth" | "docFields">;
  readonly format: OutputFormat;
  /** A path, or `-` for standard output. */
  readonly output: string;
  readonly model: ResolvedModel;
  readonly device: WorkerDevice;
  /** Undefined: the model runs as it is. */
  readonly preparedDir: string | undefined;
  readonly scoring: ResolvedScoring;
  readonly topN: number | undefined;
  readonly limits: Limits;
  readonly window: InFlightBounds;
  readonly forceNew: boolean;
  readonly redisUrl: string | undefined;
  readonly lanes: LaneOptions;
  readonly tokenizer: TokenizerChoice;
  readonly drainTimeoutMs: number;
  readonly logger: Logger;
  /** Variables of the process: of the search path, and of lanes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly show: ShowRun;
  /** Aborts when the run is to be interrupted. */
  readonly signal: AbortSignal;
}

/** How far a run is. */
export interface RunFigures extends Readonly<RunCounts> {
  /** Records and lines of the input; undefined while its end is not known. */
  readonly total: number | undefined;
}

/** Where a run shows itself: a terminal, a page, nowhere. */
export interface ShowRun {
  /** Takes one line for people. */
  note(line: string | Wording): void;
  /** Takes the rankings if they go to no file. */
  readonly rankings: NodeJS.WritableStream;
  /** Shows progress from now on. @returns what ends it */
  progress(figures: () => RunFigures): { stop(): void };
}

export interface RunFileResult {
  readonly status: "complete" | "interrupted";
  readonly counts: Readonly<RunCounts>;
  /** Undefined where rankings went to standard output. */
  readonly paths: OutputPaths | undefined;
  readonly redis: string;
}

/**
 * js-redis-server copies a key's whole value at every access: short streams and a small window make
 * it several times faster.
 */
const JS_EVENTS_STREAM_LENGTH = 20;
const JS_WINDOW_JOBS = 100;

/**
 * The whole of `rankmill run`: finds or starts Redis, starts a worker, feeds, waits, writes.
 *
 * @throws RankmillError `invalid_option` and the like before any work is done; others where the run cannot
 *   go on. What was ranked by then is on disk, and the same call again goes on from there
 */
export async function runFile(options: RunFileOptions): Promise<RunFileResult> {
  const { model, scoring, source, format, logger, env, show, signal } = options;
  const counted = await source.count();
  // For the manifest, which standard output has none of; before the output is locked, since it may throw.
  const inputDigest = options.output === "-" ? undefined : await digestOf(source);
  // Native packages are loaded by the commands that run a worker, and by no other.
  const { openTokenizer } = await import("../tokenizers/open-tokenizer.js");
  const { startWorker } = await import("./worker/start-worker.js");
  const opened = await openTokenizer(model.folder.path, {
    implementation: options.tokenizer,
    compiledDir: options.preparedDir,
  });
  const settings: RunSettings = {
    model: {
      name: model.name,
      revision: model.revision,
      digest: model.digest,
      precision: model.precision,
    },
    ...scoring,
    topN: options.topN ?? null,
    tokenizer: opened.tokenizer.implementation,
    outputFormat: format.name,
    ...options.sourceSettings,
  };
  const file =
    options.output === "-" ? undefined : await RunOutput.open(options.output, settings, options);
  const sink: RankingSink =
    file ??
    new StreamOutput(show.rankings, (failure) => show.note(failureLine(failure)), format.textOf);
  if (file !== undefined) {
    for (const note of notesOnDone(file, inputDigest)) show.note(note);
  }

  const startedAt = new Date().toISOString();
  const server = await openRedis(options).catch(async (error: unknown) => {
    await file?.unlock();
    throw error;
  });
  let worker: RunningWorker | undefined;
  let progress: { stop(): void } | undefined;
  const stopping = new AbortController();
  const stop = AbortSignal.any([signal, stopping.signal]);
  const manifest = (state: Manifest["state"], finishedAt?: string): Manifest => ({
    rankmill: packageVersion(),
    schema: SCHEMA_MAJOR,
    state,
    input: options.input,
    ...(inputDigest === undefined ? {} : { inputDigest }),
    output: options.output,
    settings,
    counts: sink.counts,
    redis: server.note,
    startedAt: file?.before?.startedAt ?? startedAt,
    ...(file?.before === undefined ? {} : { resumedAt: startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  });
  try {
    await file?.writeManifest(manifest("running"));
    worker = await startWorker({
      model,
      device: options.device,
      redis: server.redis,
      logger,
      env,
      preparedDir: options.preparedDir,
      opened,
      limits: options.limits,
      ...options.lanes,
      eventsStreamLength: server.eventsStreamLength,
    });
    const queue = new RedisJobQueue(
      server.redis,
      worker.tag,
      options.limits.maxJobBytes,
      server.eventsStreamLength,
    );
    const fatal = watchFatal(worker, server.private, stopping);
    progress = show.progress(() => {
      const { done, failed } = sink.counts;
      // Candidates that a corpus lacks fail beside their record.
      const total = counted === undefined ? undefined : Math.max(counted, done + failed);
      return { ...sink.counts, total };
    });
    const feeder = new Feeder({
      queue,
      results: new RedisResultStore(server.redis, worker.tag),
      board: new RedisFeedingBoard(server.redis, worker.tag),
      sink,
      makeJob: ({ request }) => makeJob(request, scoring, { priority: "bulk" }),
      owner: ownerOf(file),
      window: server.window,
      onProgress: () => {},
    });
    let read = 0;
    const all = counting(source.read(new Set()), () => (read += 1));
    const records = file === undefined ? all : file.unranked(all);
    await Promise.race([feeder.run(records, stop), fatal]);
    const interrupted = signal.aborted;
    // An upstream step that wrote nothing must not pass for one that found nothing to do.
    if (!interrupted && read === 0) show.note(`${nameOf(options.input)} holds no record`);
    if (interrupted) {
      show.note("stopping: finishing the jobs in hand; once more Ctrl-C ends at once");
      await worker.close(options.drainTimeoutMs);
      await feeder.abandon();
    }
    progress.stop();
    progress = undefined;
    await file?.close(!interrupted, format);
    for (const note of file?.notes(!interrupted) ?? []) show.note(note);
    const state = interrupted ? "interrupted" : "complete";
    await file?.writeManifest(manifest(state, new Date().toISOString()));
    await queue.close();
    return { status: state, counts: sink.counts, paths: file?.paths, redis: server.note };
  } finally {
    progress?.stop();
    await worker?.close(0);
    server.redis.disconnect();
    await server.private?.stop();
    await file?.unlock();
  }
}

function nameOf(input: string): string {
  return input === "-" ? "standard input" : input;
}

async function* counting<T>(items: AsyncIterable<T>, count: () => void): AsyncGenerator<T> {
  for await (const item of items) {
    count();
    yield item;
  }
}

/** What a user should know of the rankings that an earlier start left. */
function* notesOnDone(
  { done, paths, before }: RunOutput,
  inputDigest: string | undefined,
): Generator<string | Wording> {
  const { digests, damaged, twice } = done;
  if (damaged > 0) {
    yield `${paths.output}: ${damaged} rankings were damaged: they are left out, and their records ranked anew`;
  }
  if (twice > 0) {
    yield `${paths.output}: ${twice} records stood there twice: the newer ranking of each stays`;
  }
  if (digests.size === 0) return;
  yield `going on with ${paths.partial}: ${digests.size} records are ranked already`;
  const isSame = before?.inputDigest === undefined || before.inputDigest === inputDigest;
  const unknown = [...digests.values()].some((digest) => digest === UNKNOWN_DIGEST);
  if (isSame || !unknown) return;
  yield wording`the input is not what it was: rankings of ${before.input} that another version wrote stay, known by id; if more changed than records were added, start over with ${option("forceNew")}`;
}

/**
 * Under what name this command waits for its jobs. The same output is the same owner, so that a
 * start after a crash finds, and in the end releases, what the last one left in Redis.
 */
function ownerOf(file: RunOutput | undefined): string {
  return `output:${hostname()}:${file?.paths.output ?? randomUUID()}`;
}

interface Server {
  readonly redis: Redis;
  readonly private: PrivateRedis | undefined;
  readonly window: InFlightBounds;
  readonly eventsStreamLength: number | undefined;
  /** One line for the user. */
  readonly note: string;
}

async function openRedis(options: RunFileOptions): Promise<Server> {
  const onError = (error: Error): void => options.logger.warn({ err: error }, "redis connection");
  if (options.redisUrl !== undefined) {
    const redis = await connectRedis({ url: options.redisUrl }, onError);
    const { window } = options;
    return { redis, private: undefined, window, eventsStreamLength: undefined, note: "REDIS_URL" };
  }
  const server = await startPrivateRedis({
    guardianPath: REDIS_GUARDIAN_ENTRY,
    searchPath: options.env["PATH"] ?? "",
    onWarning: (line) => options.show.note(line),
  });
  options.show.note(server.note);
  try {
    const redis = await connectRedis(server.connection, onError);
    const js = server.implementation === "js-redis-server";
    const maxJobs = js ? Math.min(JS_WINDOW_JOBS, options.window.maxJobs) : options.window.maxJobs;
    return {
      redis,
      private: server,
      window: { ...options.window, maxJobs },
      eventsStreamLength: js ? JS_EVENTS_STREAM_LENGTH : undefined,
      note: `${server.implementation} ${server.version}, private`,
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Rejects where worker or private server can never go on; then nothing is worth waiting for. */
async function watchFatal(
  worker: RunningWorker,
  server: PrivateRedis | undefined,
  stopping: AbortController,
): Promise<never> {
  const died = server?.exited.then(
    ({ reason }) =>
      new RankmillError(
        "redis_unavailable",
        `the private Redis ended: ${reason}; run again to go on`,
      ),
  );
  const error = await Promise.race(died === undefined ? [worker.failed] : [worker.failed, died]);
  stopping.abort(error);
  throw error;
}
