import { formatCount, formatDuration } from "../figures.js";
import { numbersName, workerCommand } from "../../src/core/forms/numbers.js";
import type { RunSummary } from "../../src/app/runs/run.js";
import type { RunReport } from "../../src/runs/run-report.js";
import type { Painted } from "./painted.js";
import { textTable, type Column } from "./text-table.js";

/** One run of the table. */
interface Row {
  readonly report: RunReport;
  readonly nowMs: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { head: "run", cell: ({ report }) => report.run },
  { head: "state", cell: ({ report }) => stateOf(report) },
  {
    head: "records",
    cell: ({ report: { done, failed, total } }) =>
      `${formatCount(done + failed)}/${formatCount(total)}`,
    right: true,
  },
  { head: "failed", cell: ({ report }) => formatCount(report.failed), right: true, leaveOut: 2 },
  { head: "pairs/s", cell: ({ report }) => speedOf(report), right: true, leaveOut: 3 },
  { head: "left", cell: ({ report }) => leftOf(report), right: true, leaveOut: 1 },
  { head: "age", cell: ageOf, right: true, leaveOut: 4 },
];

/** The runs in the order of `reports`, in at most `columns` columns unless a run's id is longer. */
export function statusTable(
  reports: readonly RunReport[],
  columns: number,
  nowMs: number,
): Painted[] {
  const rows = reports.map((report) => ({ report, nowMs }));
  return textTable(COLUMNS, rows, columns);
}

/** True if a run is under way. */
export function isOpen({ state }: RunReport): boolean {
  return state === "submitting" || state === "submitted";
}

/** Names the model that nobody serves and, on a line of its own, the command that starts a worker. */
export function workerHint({ model }: Pick<RunSummary, "model">): string {
  const command = workerCommand(model);
  return `no worker serves ${model.name} ${numbersName(model)}; this starts one:\n  ${command}`;
}

function stateOf(report: RunReport): string {
  if (!isOpen(report)) return report.state;
  if (report.workers.length === 0) return "no worker";
  if (report.state === "submitting") return report.state;
  return report.active > 0 || report.done + report.failed > 0 ? "running" : "waiting";
}

function speedOf(report: RunReport): string {
  const { speed } = report;
  return isOpen(report) && speed !== null ? formatCount(Math.round(speed.pairs_per_second)) : "–";
}

function leftOf(report: RunReport): string {
  return isOpen(report) ? formatDuration(report.eta_seconds ?? undefined) : "–";
}

function ageOf({ report, nowMs }: Row): string {
  return formatDuration((nowMs - Date.parse(report.created_at)) / 1_000);
}
