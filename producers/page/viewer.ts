/** Whoever looks at the pages: what they see, and what they may do. */
import type { RunRow } from "../../src/app/runs/list-rows.js";
import type { RunPicture } from "../../src/app/runs/run-picture.js";
import type { Run } from "../../src/app/runs/run.js";
import type { ServedBy } from "./served-by.js";

/** Runs of one page of the list. */
export const PAGE_RUNS = 25;

export interface ListedRuns {
  readonly rows: readonly RunRow[];
  readonly hasMore: boolean;
}

/** The runs that a viewer sees; all others are not there. */
export interface VisibleRuns {
  /** @param after the run after which the page begins; one that is gone begins with the newest */
  page(after: string | undefined): Promise<ListedRuns>;
  /** Rows of those runs that are there. */
  rows(ids: readonly string[]): Promise<RunRow[]>;
  newest(): Promise<string | undefined>;
  /** @throws RankmillError `run_not_found` */
  open(id: string): Promise<Run>;
  picture(run: Run): Promise<RunPicture>;
}

/** How people do things for which the pages have no button. */
export interface Ways {
  readonly submit: string;
  readonly failures: (run: string) => string;
}

export interface Viewer {
  readonly runs: VisibleRuns;
  /** Whether queries, documents and inputs are shown. */
  readonly showsTexts: boolean;
  /** Whether hosts and processes are named. */
  readonly showsHosts: boolean;
  /** Whether runs may be retried, cancelled and purged. */
  readonly mayAct: boolean;
  readonly ways: Ways;
  /** Every model that was served here, with its workers; asked only if hosts are shown. */
  readonly workers: () => Promise<readonly ServedBy[]>;
}
