import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { describeError } from "../core/errors.js";
import { parseStored } from "../core/stored-json.js";
import { seconds } from "./fitness.js";
import { REPORT_INTERVAL_MS, type FitnessReport } from "./fitness-watch.js";

const reportSchema = z.object({
  at: z.number(),
  lanes: z.number().nullable(),
  held: z.number(),
  waiting: z.number(),
  progressAt: z.number(),
  reason: z.string().nullable(),
  degraded: z.string().nullable(),
}) satisfies z.ZodType<FitnessReport>;

/** Three reports missed: the event loop stands still, or the process is gone. */
export const MAX_AGE_MS = 3 * REPORT_INTERVAL_MS + 1_000;

/**
 * Writes a process's word on its own fitness, for a health check that is another process: the
 * report's age tells of an event loop that stands still, its content of all else.
 */
export async function writeHealth(path: string, report: FitnessReport): Promise<void> {
  // A reader sees the last report or this one, never half of one.
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(report)}\n`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

export async function removeHealth(path: string): Promise<void> {
  await rm(path, { force: true });
}

export type Health =
  | { readonly fit: true; readonly report: FitnessReport }
  | { readonly fit: false; readonly reason: string };

/** The health that a process last wrote to `path`, judged at `nowMs`, milliseconds since 1970. Never throws. */
export async function readHealth(path: string, nowMs: number): Promise<Health> {
  let report: FitnessReport;
  try {
    report = parseStored(reportSchema, await readFile(path, "utf8"), path);
  } catch (error) {
    return {
      fit: false,
      reason: `no worker says that it is ready: ${describeError(error).message}`,
    };
  }
  const ageMs = nowMs - report.at;
  if (ageMs > MAX_AGE_MS) {
    return { fit: false, reason: `the worker last gave a sign of life ${seconds(ageMs)} ago` };
  }
  return report.reason === null ? { fit: true, report } : { fit: false, reason: report.reason };
}

/** One line for people. */
export function describeHealth(health: Health, nowMs: number): string {
  return health.fit ? describeFit(health.report, nowMs) : `unfit: ${health.reason}`;
}

export function describeFit(report: FitnessReport, nowMs: number): string {
  const { lanes, held, waiting, progressAt, degraded } = report;
  const fit =
    lanes === null
      ? "fit: Redis answers"
      : `fit: ${lanes} lanes, ${held} jobs in hand, ${waiting} waiting, last progress ${seconds(nowMs - progressAt)} ago`;
  return degraded === null ? fit : `${fit}; degraded: ${degraded}`;
}
