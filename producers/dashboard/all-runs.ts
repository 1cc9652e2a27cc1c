import { rowsOf, type RunRow } from "../../src/app/runs/list-rows.js";
import { takePicture, type RunPicture } from "../../src/app/runs/run-picture.js";
import type { Run } from "../../src/app/runs/run.js";
import type { Runs } from "../../src/app/runs/runs.js";
import { checkRunId } from "../../src/redis/run-info.js";
import { PAGE_RUNS, type ListedRuns, type VisibleRuns } from "../page/viewer.js";

/** Every run on a Redis: whoever may see the dashboard sees them all. */
export class AllRuns implements VisibleRuns {
  readonly #runs: Runs;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  async page(after: string | undefined): Promise<ListedRuns> {
    const { index } = this.#runs.store;
    const page =
      (await index.page(undefined, after, PAGE_RUNS)) ??
      (await index.page(undefined, undefined, PAGE_RUNS));
    if (page === undefined) return { rows: [], hasMore: false };
    return { rows: await rowsOf(this.#runs, page.runs), hasMore: page.hasMore };
  }

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

  async open(id: string): Promise<Run> {
    return await this.#runs.open(id);
  }

  async picture(run: Run): Promise<RunPicture> {
    return await takePicture(this.#runs, run);
  }
}
