/** The runs that a caller may see; the pages do not know who the caller is. */
import type { RunExamples } from "../../src/app/runs/run-examples.js";
import { rowsOf, type RunRow } from "../../src/app/runs/list-rows.js";
import { takePicture, type RunPicture } from "../../src/app/runs/run-picture.js";
import type { Run } from "../../src/app/runs/run.js";
import type { Runs } from "../../src/app/runs/runs.js";
import { RankmillError } from "../../src/core/errors.js";
import { modelTag } from "../../src/redis/keys.js";
import { listServedModels, type ServedModel } from "../../src/redis/model-registry.js";
import { checkRunId } from "../../src/redis/run-info.js";
import { listWorkers, type WorkerAnnouncement } from "../../src/redis/worker-registry.js";
import type { FoundExamples } from "./run-view.js";

/** Runs of one page of the list. */
export const PAGE_RUNS = 25;

/** Models whose workers are shown; each costs two questions. */
const MOST_MODELS = 100;

export interface ServedBy {
  readonly model: ServedModel;
  readonly workers: readonly WorkerAnnouncement[];
}

export interface ListedRuns {
  readonly rows: readonly RunRow[];
  readonly hasMore: boolean;
}

export class VisibleRuns {
  readonly #runs: Runs;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  /** @param after the run after which the page begins; one that is gone begins with the newest */
  async page(after: string | undefined): Promise<ListedRuns> {
    const { index } = this.#runs.store;
    const page =
      (await index.page(undefined, after, PAGE_RUNS)) ??
      (await index.page(undefined, undefined, PAGE_RUNS));
    if (page === undefined) return { rows: [], hasMore: false };
    return { rows: await rowsOf(this.#runs, page.runs), hasMore: page.hasMore };
  }

  /** Rows of the runs that are there. */
  async rows(ids: readonly string[]): Promise<RunRow[]> {
    const { store } = this.#runs;
    const infos = await Promise.all(ids.map(async (id) => await store.find(checkRunId(id))));
    const found = ids.flatMap((id, place) => {
      const info = infos[place];
      return info === undefined ? [] : [[id, info] as const];
    });
    return await rowsOf(this.#runs, found);
  }

  async newest(): Promise<string | undefined> {
    const page = await this.#runs.store.index.page(undefined, undefined, 1);
    return page?.runs[0]?.[0];
  }

  /** @throws RankmillError `run_not_found` */
  async open(id: string): Promise<Run> {
    return await this.#runs.open(id);
  }

  async picture(run: Run): Promise<RunPicture> {
    return await takePicture(this.#runs, run);
  }

  /** Every model that was served here, with the workers that serve it at present. */
  async workers(): Promise<readonly ServedBy[]> {
    const { redis } = this.#runs;
    const models = (await listServedModels(redis)).slice(0, MOST_MODELS);
    return await Promise.all(
      models.map(async (model) => ({ model, workers: await listWorkers(redis, modelTag(model)) })),
    );
  }

  /** Examples of a run; a spool that cannot be read leaves the rest of the page whole. */
  async examples(run: Run, withTexts: boolean): Promise<FoundExamples> {
    try {
      const examples: RunExamples = await run.examples({ withTexts });
      return { status: "found", examples };
    } catch (error) {
      const names = error instanceof RankmillError && error.field === "spool";
      const reason = names
        ? "They lie in a spool: the dashboard shows them if --spool names it."
        : "They could not be read: see the log.";
      return { status: "unknown", reason };
    }
  }
}
