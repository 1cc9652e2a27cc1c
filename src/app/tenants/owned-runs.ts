import { createHash, randomUUID } from "node:crypto";
import { RankmillError } from "../../core/errors.js";
import type { Caller } from "../../core/caller.js";
import type { RunInfo } from "../../redis/run-info.js";
import type { RunPage } from "../../redis/run-index.js";
import type { RunReport } from "../../runs/run-report.js";
import { reportRuns } from "../runs/report-runs.js";
import { rowsOf, type RunRow } from "../runs/list-rows.js";
import type { Run } from "../runs/run.js";
import { takePicture, type RunPicture } from "../runs/run-picture.js";
import type { Runs } from "../runs/runs.js";
import { submitRun, type Submission, type Submitted } from "../runs/submit-run.js";
import { TooManyError } from "./too-many.js";

/** Submissions that one process reads at once: each holds a chunk of records in memory. */
const MAX_SUBMISSIONS = 8;
const RETRY_MS = 2_000;
/** Runs of one key that are kept at once, over or not. */
const MAX_RUNS_PER_KEY = 10_000;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** A run that its caller submits: its name is not theirs to choose, since all callers share one space of names. */
export type OwnSubmission = Omit<Submission, "run" | "keyId" | "spool" | "input"> & {
  /** The caller's name for the request; the same name is the same run. */
  readonly once: string | undefined;
  /** The name of the input, for people. */
  readonly input: string;
};

/** A run with the facts under which it was submitted. */
export interface OwnedRun {
  readonly run: Run;
  readonly info: RunInfo;
}

/** The runs of callers: each sees their own and no others, an admin all. */
export class OwnedRuns {
  readonly #runs: Runs;
  readonly #spooling: boolean;
  #submissions = 0;

  /** @param spooling whether `runs` has a spool */
  constructor(runs: Runs, spooling: boolean) {
    this.#runs = runs;
    this.#spooling = spooling;
  }

  /**
   * Submits a run. One whose input ends in an error leaves nothing behind.
   *
   * @throws RankmillError as `submitRun`; {@link TooManyError} if many are being submitted
   */
  async submit(caller: Caller, submission: OwnSubmission): Promise<Submitted> {
    if (this.#submissions >= MAX_SUBMISSIONS) {
      const message = `${MAX_SUBMISSIONS} runs are being submitted: try again`;
      throw new TooManyError(message, RETRY_MS);
    }
    this.#submissions += 1;
    const { once, ...rest } = submission;
    const run = once === undefined ? `run-${randomUUID()}` : nameOf(caller, once);
    try {
      const before = await this.#runs.store.find(run);
      if (before === undefined) await this.#checkRoom(caller);
      const spool = this.#spooling ? await this.#runs.spool() : undefined;
      try {
        return await submitRun({ ...rest, run, keyId: caller.keyId, spool }, this.#runs);
      } catch (error) {
        // What cannot be taken out expires.
        if (before === undefined) await this.#runs.purge(run, { force: true }).catch(() => {});
        throw error;
      }
    } finally {
      this.#submissions -= 1;
    }
  }

  /** @throws RankmillError `run_not_found`, also for a run of another's */
  async open(caller: Caller, id: string): Promise<OwnedRun> {
    // Checked first: no other text becomes part of a key.
    const info = RUN_ID.test(id) ? await this.#runs.store.find(id) : undefined;
    if (info === undefined || !mayUse(caller, info)) throw notFound(id);
    return { run: this.#runs.of(id, info), info };
  }

  /** @throws RankmillError `run_not_found` for an `after` that is none of theirs */
  async page(caller: Caller, after: string | undefined, most: number): Promise<RunPage> {
    if (after !== undefined) await this.open(caller, after);
    const keyId = caller.scopes.has("admin") ? undefined : caller.keyId;
    const page = await this.#runs.store.index.page(keyId, after, most);
    if (page === undefined) throw notFound(after ?? "");
    return page;
  }

  /** Rows for runs that were found for their caller. */
  async rows(found: readonly (readonly [string, RunInfo])[]): Promise<RunRow[]> {
    return await rowsOf(this.#runs, found);
  }

  /** All that is shown of a run that was opened for its caller. @throws RankmillError `run_not_found` if it is gone */
  async picture(run: Run): Promise<RunPicture> {
    return await takePicture(this.#runs, run);
  }

  /** Changes the facts of a batch. */
  async noteBatch(id: string, batch: string): Promise<void> {
    await this.#runs.store.update(id, { batch });
  }

  /** All there is to say about a run; an admin alone is told of hosts and processes. */
  async report(caller: Caller, id: string): Promise<RunReport> {
    await this.open(caller, id);
    const [report] = await reportRuns(this.#runs, [id], { measuresTwice: false });
    if (report === undefined) throw notFound(id);
    return caller.scopes.has("admin") ? report : { ...report, owner: null, workers: [] };
  }

  /** @throws RankmillError `limit_exceeded` if the key has as many runs as it may */
  async #checkRoom({ keyId }: Caller): Promise<void> {
    const value = await this.#runs.store.index.countOf(keyId);
    if (value < MAX_RUNS_PER_KEY) return;
    const limit = { name: "runs", value: value + 1, max: MAX_RUNS_PER_KEY, unit: "runs" };
    const message = `the key has ${value} runs, and may have no more: delete some`;
    throw new RankmillError("limit_exceeded", message, { limit });
  }
}

function mayUse({ keyId, scopes }: Caller, info: RunInfo): boolean {
  return scopes.has("admin") || info.keyId === keyId;
}

function notFound(id: string): RankmillError {
  return new RankmillError("run_not_found", `there is no run ${JSON.stringify(id.slice(0, 200))}`);
}

/** Two callers may name their requests alike. */
function nameOf({ keyId }: Caller, once: string): string {
  const hash = createHash("sha256").update(`${keyId}\n${once}`).digest("hex");
  return `run-${hash.slice(0, 32)}`;
}
