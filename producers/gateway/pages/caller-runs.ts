import type { RunRow } from "../../../src/app/runs/list-rows.js";
import type { RunPicture } from "../../../src/app/runs/run-picture.js";
import type { Run } from "../../../src/app/runs/run.js";
import type { OwnedRun, OwnedRuns } from "../../../src/app/tenants/owned-runs.js";
import type { Caller } from "../../../src/core/caller.js";
import { RankmillError } from "../../../src/core/errors.js";
import { PAGE_RUNS, type ListedRuns, type VisibleRuns } from "../../page/viewer.js";

/** The runs that belong to one caller, as the pages want them; an admin's are all. */
export class CallerRuns implements VisibleRuns {
  readonly #owned: OwnedRuns;
  readonly #caller: Caller;

  constructor(owned: OwnedRuns, caller: Caller) {
    this.#owned = owned;
    this.#caller = caller;
  }

  async page(after: string | undefined): Promise<ListedRuns> {
    const ownPage = async (from: string | undefined) =>
      await this.#owned.page(this.#caller, from, PAGE_RUNS);
    const found = await unlessGone(ownPage(after));
    const { runs, hasMore } = found ?? (await ownPage(undefined));
    return { rows: await this.#owned.rows(runs), hasMore };
  }

  async rows(ids: readonly string[]): Promise<RunRow[]> {
    const opened = await Promise.all(
      ids.map(async (id) => await unlessGone(this.#owned.open(this.#caller, id))),
    );
    const there = opened.filter((one): one is OwnedRun => one !== undefined);
    return await this.#owned.rows(there.map(({ run, info }) => [run.id, info]));
  }

  async newest(): Promise<string | undefined> {
    const { runs } = await this.#owned.page(this.#caller, undefined, 1);
    return runs[0]?.[0];
  }

  async open(id: string): Promise<Run> {
    return (await this.#owned.open(this.#caller, id)).run;
  }

  async picture(run: Run): Promise<RunPicture> {
    return await this.#owned.picture(run);
  }
}

async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof RankmillError && error.code === "run_not_found") return undefined;
    throw error;
  }
}
