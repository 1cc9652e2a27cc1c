import { formatBytes, formatDuration } from "../../figures.js";
import type { Command } from "commander";
import type { RunReport } from "../../../src/runs/run-report.js";
import { reportRuns } from "../../../src/app/runs/report-runs.js";
import type { Runs } from "../../../src/app/runs/runs.js";
import { printable } from "../printable.js";
import type { RunSummary } from "../../../src/app/runs/run.js";
import { sayHint, sayMissingWorker } from "../say-missing-worker.js";
import { isOpen, statusTable, workerHint } from "../status-table.js";
import { print, printLines } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { waitForRun } from "../wait-for-run.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { MESSAGES } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { withRuns } from "../with-runs.js";

const USUAL_COLUMNS = 80;

const GROUPS = {
  run: pick(RUN, "watch", "limit"),
  redis: REDIS_ADDRESS,
  messages: MESSAGES,
};

export function defineStatus(command: Command): void {
  command
    .argument("[run]", "the run's id; without it, the newest runs are listed")
    .action(async (run: string | undefined, parsed: Record<string, unknown>) => {
      process.exitCode = await status(run, parsed);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill status", "rankmill status RUN --watch"],
    notes: [
      `--json prints one object, or an array if no run is named; "rankmill schema status" describes it. Speed is that of the last half minute; if nobody has asked for a minute, the answer takes two seconds. Needs REDIS_URL.`,
    ],
  });
}

async function status(id: string | undefined, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  return await withRuns(values, async (runs) => {
    if (values.run.watch && id !== undefined) {
      const run = await runs.open(id);
      await sayMissingWorker(runs.redis, await run.summary());
      const code = await waitForRun(run);
      if (code === EXIT.interrupted) return code;
    }
    const shown =
      id === undefined
        ? await newest(runs, values.run.limit)
        : [await (await runs.open(id)).summary()];
    const reports = await reportRuns(
      runs,
      shown.map((run) => run.id),
    );
    if (values.messages.json) print(JSON.stringify(id === undefined ? reports : reports[0]));
    else if (reports.length === 0) print("no runs in this Redis");
    else if (id === undefined) {
      printLines(...statusTable(reports, process.stdout.columns ?? USUAL_COLUMNS, Date.now()));
    } else print(reports.map(describe).join("\n\n"));
    if (!values.messages.json) sayMissingWorkers(shown, reports);
    return EXIT.ok;
  });
}

/** Tells of each model that runs wait for and that nobody serves. */
function sayMissingWorkers(runs: readonly RunSummary[], reports: readonly RunReport[]): void {
  const idle = runs.filter((_, i) => {
    const report = reports[i];
    return report !== undefined && isOpen(report) && report.workers.length === 0;
  });
  for (const hint of new Set(idle.map(workerHint))) sayHint(hint);
}

async function newest(runs: Runs, limit: number): Promise<RunSummary[]> {
  const found: RunSummary[] = [];
  for await (const run of runs.list()) if (found.push(run) >= limit) break;
  return found;
}

function describe(report: RunReport): string {
  const codes = Object.entries(report.failed_by_code).map(([code, times]) => `${times} ${code}`);
  const lines = [
    `run      ${report.run} (${report.state}${ownerOf(report)})`,
    `records  ${report.done} done, ${report.failed} failed, ${report.active} active, ${report.waiting} waiting, of ${report.total}`,
    `pairs    ${report.pairs} (${report.tokens} tokens, ${report.truncated} truncated, ${report.failed_pairs} failed)`,
  ];
  if (report.problem !== null) {
    lines.push(`problem  ${report.problem}; "rankmill retry ${report.run}" goes on`);
  }
  if (codes.length > 0) lines.push(`failed   ${codes.join(", ")}`);
  if (report.eta_seconds !== 0) lines.push(`speed    ${speedOf(report)}`);
  const age = report.oldest_waiting_seconds;
  return [
    ...lines,
    `model    ${report.model}`,
    `workers  ${report.workers.length} with ${report.lanes} lanes${report.workers.map(({ host, pid, lanes, held }) => `; ${host}:${pid} ${lanes} lanes, ${held} jobs in hand`).join("")}`,
    `queues   ${report.queues[0] ?? ""}`,
    ...report.queues.slice(1).map((queue) => `         ${queue}`),
    ...(age === null || report.eta_seconds === 0
      ? []
      : [`oldest   job has waited ${formatDuration(age)}`]),
    `redis    ${report.redis_bytes === null ? "memory not known" : formatBytes(report.redis_bytes)}`,
    `input    ${report.input}, submitted ${report.created_at}`,
  ]
    .map(printable)
    .join("\n");
}

function ownerOf({ spooled, state, owner }: RunReport): string {
  if (!spooled || state === "complete" || state === "cancelled" || state === "failed") return "";
  return owner === null ? ", no runner owns it" : `, owned by runner ${owner}`;
}

function speedOf({ speed, eta_seconds: eta }: RunReport): string {
  if (speed === null) return "not known yet";
  const { pairs_per_second: pairs, tokens_per_second: tokens, over_seconds: over } = speed;
  return `${pairs.toFixed(0)} pairs/s, ${tokens.toFixed(0)} tokens/s over ${over.toFixed(0)} s · ETA ${formatDuration(eta ?? undefined)}`;
}
