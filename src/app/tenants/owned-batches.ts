import { LOCAL_CALLER, type Caller } from "../../core/caller.js";
import { RankmillError } from "../../core/errors.js";
import { DEFAULT_IN_FLIGHT_BOUNDS } from "../../core/in-flight-bounds.js";
import { DEFAULT_RUN_TTL_SECONDS } from "../../core/run-ttl.js";
import { resolveScoring } from "../../core/scoring.js";
import { openInput } from "../../inputs/read/open-input.js";
import { readLines } from "../../inputs/read/lines.js";
import type { BatchExpiries } from "../../redis/batch-expiries.js";
import type { ServedModel } from "../../redis/model-registry.js";
import type { RunInfo } from "../../redis/run-info.js";
import type { RunStatus } from "../../runs/run-status.js";
import { scoringFor } from "../client/scoring-for.js";
import type { Run } from "../runs/run.js";
import { batchFactsOf, batchIdOf, runOfBatch, type BatchFacts } from "./batch-facts.js";
import { batchLineRules } from "./batch-line-rules.js";
import type { OwnedFiles } from "./owned-files.js";
import type { OwnedRuns } from "./owned-runs.js";
import { openStream, type StreamBounds } from "./streamed-source.js";

/** A batch: a run over an uploaded file, whose answers are files. */
export interface OwnedBatch {
  readonly id: string;
  readonly facts: BatchFacts;
  readonly info: RunInfo;
  readonly run: Run;
  readonly status: RunStatus;
}

/** A batch as a caller asks for it. */
export type NewBatch = Omit<BatchFacts, "endedAtMs" | "expiresAtMs"> & {
  /** The caller's name for the request; the same name is the same batch. */
  readonly once: string | undefined;
};

/** Finds a served model by the name that a request gives it, or the default. */
type FindModel = (name: string | undefined) => Promise<ServedModel>;

export interface OwnedBatchesOptions {
  readonly runs: OwnedRuns;
  readonly files: OwnedFiles;
  readonly bounds: StreamBounds;
  readonly expiries: BatchExpiries;
  /** The time that a batch has; undefined: as long as it takes. */
  readonly expirySeconds: number | undefined;
}

/** Batches whose time is over that are stopped in one go. */
const SWEPT_BATCHES = 100;
/** Runs read in one go for a list of batches. */
const PAGE_RUNS = 100;

/** The batches of callers: each sees their own and no others, an admin all. */
export class OwnedBatches {
  readonly #runs: OwnedRuns;
  readonly #files: OwnedFiles;
  readonly #bounds: StreamBounds;
  readonly #expiries: BatchExpiries;
  readonly #expirySeconds: number | undefined;

  constructor({ runs, files, bounds, expiries, expirySeconds }: OwnedBatchesOptions) {
    this.#runs = runs;
    this.#files = files;
    this.#bounds = bounds;
    this.#expiries = expiries;
    this.#expirySeconds = expirySeconds;
  }

  /**
   * Submits the requests of a file. Its first request names the model; one model ranks them all.
   *
   * @throws RankmillError `not_found` for a file that is none of theirs; `model_not_found`; `input_unusable`
   */
  async create(caller: Caller, batch: NewBatch, findModel: FindModel): Promise<OwnedBatch> {
    const { once, ...wanted } = batch;
    const expiresAtMs =
      this.#expirySeconds === undefined ? undefined : Date.now() + this.#expirySeconds * 1_000;
    const facts: BatchFacts = expiresAtMs === undefined ? wanted : { ...wanted, expiresAtMs };
    const { filename } = await this.#files.find(caller, facts.inputFileId);
    const first = await this.#firstRequest(caller, facts.inputFileId);
    if (first === undefined) {
      const message = `${filename} holds no request: a batch needs one at least`;
      throw new RankmillError("input_unusable", message, { field: "input_file_id" });
    }
    const named = modelIn(first);
    const model = await findModel(named);
    const { chunks } = await this.#files.open(caller, facts.inputFileId);
    const modelNames = [model.name, ...model.aliases, ...(named === undefined ? [] : [named])];
    const refuseLine = batchLineRules(facts.endpoint, modelNames);
    const input = {
      chunks,
      format: "openai-batch",
      topN: undefined,
      modelNames,
      refuseLine,
    } as const;
    const { source } = await openStream(input, this.#bounds);
    try {
      const { run } = await this.#runs.submit(caller, {
        source,
        input: filename,
        model,
        scoring: resolveScoring(scoringFor({}, model)),
        topN: undefined,
        ttlSeconds: DEFAULT_RUN_TTL_SECONDS,
        inFlightJobs: DEFAULT_IN_FLIGHT_BOUNDS.maxJobs,
        batch: JSON.stringify(facts),
        once,
      });
      if (expiresAtMs !== undefined) await this.#expiries.add(run.id, expiresAtMs);
      return await this.find(caller, batchIdOf(run.id));
    } finally {
      await source.close();
    }
  }

  /** @throws RankmillError `not_found`, also for a batch of another's */
  async find(caller: Caller, id: string): Promise<OwnedBatch> {
    const runId = runOfBatch(id);
    const found = runId === undefined ? undefined : await this.#open(caller, runId);
    if (found !== undefined) return found;
    throw new RankmillError("not_found", `there is no batch ${JSON.stringify(id.slice(0, 200))}`);
  }

  /**
   * The newest batches.
   *
   * @param after a batch after which the page begins
   * @throws RankmillError `not_found` for an `after` that is none of theirs
   */
  async page(
    caller: Caller,
    after: string | undefined,
    most: number,
  ): Promise<{ readonly batches: readonly OwnedBatch[]; readonly hasMore: boolean }> {
    if (after !== undefined) await this.find(caller, after);
    const found: string[] = [];
    let from = after === undefined ? undefined : runOfBatch(after);
    for (let hasMore = true; hasMore && found.length <= most;) {
      const page = await this.#runs.page(caller, from, PAGE_RUNS);
      hasMore = page.hasMore;
      found.push(...page.runs.flatMap(([id, info]) => (info.batch === "" ? [] : [id])));
      from = page.runs.at(-1)?.[0];
    }
    const opened = await Promise.all(found.slice(0, most).map((id) => this.#open(caller, id)));
    const batches = opened.filter((one) => one !== undefined);
    return { batches, hasMore: found.length > most };
  }

  /** Stops a batch and keeps the answers that there are. */
  async cancel(caller: Caller, id: string): Promise<OwnedBatch> {
    const { run } = await this.find(caller, id);
    await run.cancel();
    return await this.find(caller, id);
  }

  /** Stops batches whose time is over, whoever has forgotten them. */
  async sweep(): Promise<void> {
    for (const run of await this.#expiries.due(Date.now(), SWEPT_BATCHES)) {
      // Whoever opens a batch whose time is over stops it.
      await this.#open(LOCAL_CALLER, run);
      await this.#expiries.remove(run);
    }
  }

  async #open(caller: Caller, runId: string): Promise<OwnedBatch | undefined> {
    const opened = await this.#runs.open(caller, runId).catch(goneAsUndefined);
    const known = opened === undefined ? undefined : batchFactsOf(opened.info);
    if (opened === undefined || known === undefined) return undefined;
    const { run, info } = opened;
    let status = await run.status();
    const { expiresAtMs = Infinity } = known;
    if (!status.over && Date.now() >= expiresAtMs) {
      await run.cancel();
      status = await run.status();
    }
    const facts = await this.#noteEnd(runId, known, status);
    return { id: batchIdOf(runId), facts, info, run, status };
  }

  /** Nobody tells us when a run ends: the first who sees it writes the time down. */
  async #noteEnd(runId: string, facts: BatchFacts, { over }: RunStatus): Promise<BatchFacts> {
    if (over && facts.endedAtMs === undefined) {
      const ended = { ...facts, endedAtMs: Date.now() };
      await this.#runs.noteBatch(runId, JSON.stringify(ended));
      return ended;
    }
    if (over || facts.endedAtMs === undefined) return facts;
    const { endedAtMs: _, ...again } = facts;
    await this.#runs.noteBatch(runId, JSON.stringify(again));
    return again;
  }

  /** The first line of a file; undefined if it has none. A line that is too long to read counts as empty. */
  async #firstRequest(caller: Caller, file: string): Promise<string | undefined> {
    const { chunks } = await this.#files.open(caller, file);
    const opened = await openInput("-", { stdin: chunks });
    try {
      const { maxJobBytes } = this.#bounds.limits;
      for await (const line of readLines(opened.chunks, { maxLineBytes: maxJobBytes })) {
        return line.status === "line" ? line.text : "";
      }
      return undefined;
    } finally {
      await opened.close();
    }
  }
}

function modelIn(line: string): string | undefined {
  try {
    const { body } = JSON.parse(line) as { body?: { model?: unknown } };
    return typeof body?.model === "string" ? body.model : undefined;
  } catch {
    return undefined;
  }
}

function goneAsUndefined(error: unknown): undefined {
  if (error instanceof RankmillError && error.code === "run_not_found") return undefined;
  throw error;
}
