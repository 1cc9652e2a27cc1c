import { createHash, randomUUID } from "node:crypto";
import { RankmillError } from "../../core/errors.js";
import type { ModelKey, ResolvedScoring } from "../../core/job.js";
import type { InputRecord } from "../../core/record.js";
import { option, wording } from "../../core/wording.js";
import type { RecordSource } from "../../core/ports/record-source.js";
import type { Spool } from "../../core/ports/spool.js";
import { digestOf } from "../../inputs/digest-source.js";
import { modelTag } from "../../redis/keys.js";
import { makeJob } from "../../redis/make-job.js";
import { checkRunId, type RunInfo } from "../../redis/run-info.js";
import { runOwner } from "../../runs/run-parts.js";
import { submitRecords } from "../../runs/submit-records.js";
import type { Run } from "./run.js";
import type { Runs } from "./runs.js";

const RUN_ID_HASH_CHARS = 16;
/** Records put into a spool between two words of progress. */
const TOLD_RECORDS = 200;

/** A run to be submitted. */
export interface Submission {
  readonly source: RecordSource;
  /** The input's name, for people. */
  readonly input: string;
  readonly model: ModelKey;
  readonly scoring: ResolvedScoring;
  /** Results of each record, as far as that names no number of its own; undefined: all. */
  readonly topN: number | undefined;
  /** The run's id; undefined: derived from input and settings, or random if the input is read once. */
  readonly run: string | undefined;
  /** The time for which Redis keeps the run and its rankings. */
  readonly ttlSeconds: number;
  /** Most jobs of a spooled run in Redis at once. */
  readonly inFlightJobs: number;
  /** Spool of the run; undefined: the run lies in Redis. */
  readonly spool: Spool | undefined;
  /** The access key whose user submits it. @defaultValue nobody's */
  readonly keyId?: string;
  /** Facts of the batch as whose run it is submitted, JSON. @defaultValue no batch */
  readonly batch?: string;
  /** Called with the records taken in so far. */
  readonly onProgress?: (run: string, total: number) => void;
}

/** A run that was submitted, with the number of its records. */
export interface Submitted {
  readonly run: Run;
  readonly total: number;
}

interface Prepared extends Submission {
  readonly id: string;
  readonly info: RunInfo;
  /** The run's record of an earlier submission. */
  readonly before: RunInfo | undefined;
  readonly runs: Runs;
}

/**
 * Submits a run. The same input under the same settings is the same run: submitting it again joins
 * what is under way and repeats nothing.
 *
 * @throws RankmillError `conflict` if the id belongs to a run over another input or under other
 *   settings; `cancelled` if another cancels the run meanwhile
 */
export async function submitRun(submission: Submission, runs: Runs): Promise<Submitted> {
  if (submission.run !== undefined) checkRunId(submission.run);
  checkWhole("ttlSeconds", submission.ttlSeconds, "seconds");
  checkWhole("inFlightJobs", submission.inFlightJobs, "jobs");
  const inputHash = (await digestOf(submission.source)) ?? "";
  const info = infoOf(submission, inputHash);
  const { scoring, topN } = submission;
  const id = submission.run ?? deriveRunId(inputHash, [info.tag, scoring, topN ?? null]);
  const before = await runs.store.find(id);
  if (before !== undefined) checkSameRun(id, before, info);
  const prepared = { ...submission, id, info, before, runs };
  await checkUnknownToSpool(prepared);
  await runs.store.bindInput(id, inputHash, submission.ttlSeconds);
  // Its cancellation may have been killed half way.
  await runs.partsOf(info.tag).queue.unblockOwner(runOwner(id));
  const records = submission.source.read(new Set());
  const { spool } = submission;
  const total =
    spool === undefined
      ? await submitToRedis(prepared, records)
      : await submitToSpool(prepared, records, spool);
  return { run: runs.of(id, info), total };
}

function checkWhole(field: string, value: number, unit: string): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  const message = `${field}: is ${value}, not a whole number of ${unit} above 0`;
  throw new RankmillError("invalid_field", message, { field });
}

function infoOf(submission: Submission, inputHash: string): RunInfo {
  const { name, revision, precision, form } = submission.model;
  return {
    model: name,
    revision,
    precision,
    ...(form !== undefined && { form }),
    tag: modelTag(submission.model),
    state: "submitting",
    problem: "",
    spooled: submission.spool === undefined ? "no" : "yes",
    windowJobs: submission.inFlightJobs,
    input: submission.input,
    keyId: submission.keyId ?? "",
    batch: submission.batch ?? "",
    inputHash,
    ...submission.scoring,
    total: 0,
    chunks: 0,
    ttlSeconds: submission.ttlSeconds,
    createdAt: new Date().toISOString(),
  };
}

async function submitToRedis(
  { id, info, before, runs, scoring, ttlSeconds, onProgress }: Prepared,
  records: AsyncIterable<InputRecord>,
): Promise<number> {
  await runs.store.save(id, { ...info, createdAt: before?.createdAt ?? info.createdAt });
  return await submitRecords(
    id,
    info,
    records,
    ({ request }) => makeJob(request, scoring, { priority: "bulk", ttlSeconds }),
    runs.partsOf(info.tag),
    (total) => onProgress?.(id, total),
  );
}

async function submitToSpool(
  { id, info, before, runs: { store }, onProgress }: Prepared,
  records: AsyncIterable<InputRecord>,
  spool: Spool,
): Promise<number> {
  // Seen by others from now on; runners wait until it is submitted.
  if (before === undefined) await store.save(id, info);
  try {
    await spool.put(
      id,
      counted(records, (total) => onProgress?.(id, total)),
    );
  } catch (error) {
    // A full disk, a file cut short: nobody could go on with it.
    if (before === undefined) await store.remove(id, info);
    throw error;
  }
  const known = before !== undefined && before.state !== "submitting";
  const total = known ? before.total : await spool.countRecords(id);
  // A run that is over stays so; one that was cancelled goes on.
  const state = before?.state === "complete" ? "complete" : "submitted";
  const { windowJobs } = info;
  await store.save(id, { ...(before ?? info), windowJobs, total, state, problem: "" });
  return total;
}

/** Passes records on, and tells now and then how many they were. */
async function* counted(
  records: AsyncIterable<InputRecord>,
  tell: (total: number) => void,
): AsyncGenerator<InputRecord, void, undefined> {
  let total = 0;
  for await (const record of records) {
    yield record;
    total += 1;
    if (total % TOLD_RECORDS === 0) tell(total);
  }
  if (total % TOLD_RECORDS !== 0) tell(total);
}

/** Equal bytes under equal settings are one run; a stream is a run of its own. */
function deriveRunId(inputHash: string, settings: readonly unknown[]): string {
  if (inputHash === "") return `run-${randomUUID()}`;
  const hash = createHash("sha256").update(JSON.stringify([inputHash, settings]));
  return `run-${hash.digest("hex").slice(0, RUN_ID_HASH_CHARS)}`;
}

/** @throws RankmillError `conflict` if the id belongs to a run under other settings */
function checkSameRun(id: string, before: RunInfo, now: RunInfo): void {
  const keys = [
    "tag",
    "maxLength",
    "truncation",
    "longDocuments",
    "overlapTokens",
    "maxWindows",
    "maxTokensPerDoc",
    "score",
    "instruction",
    "spooled",
  ] as const satisfies readonly (keyof RunInfo)[];
  const differing = keys.filter((key) => before[key] !== now[key]);
  if (differing.length === 0) return;
  const list = differing
    .map((key) => `${key} was ${before[key] ?? "not given"}, is ${now[key] ?? "not given"}`)
    .join("; ");
  throw new RankmillError(
    "conflict",
    wording`${option("runId")} ${id}: was submitted under other settings (${list})`,
    { field: "runId", context: { run: id } },
  );
}

/** @throws RankmillError `conflict` if the chosen id means a run that only the spool remembers */
async function checkUnknownToSpool({ id, before, run, spool }: Prepared): Promise<void> {
  if (before !== undefined || run === undefined || (await spool?.has(id)) !== true) return;
  throw new RankmillError(
    "conflict",
    wording`${option("runId")} ${id}: the spool holds a run of this name that Redis has forgotten: purge it, or choose another name`,
    { field: "runId", context: { run: id } },
  );
}
