import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const FOLDER = join(tmpdir(), "rankmill-chaos-reports");
const SIGNAL = "SIGUSR2";
/** A process whose main thread is blocked in native code reports all the same, a frozen one does not. */
const ANSWER_MS = 5_000;
const POLL_MS = 50;

/** Node's options by which a process writes a report of itself at a signal. */
export const REPORT_OPTIONS = `--report-on-signal --report-signal=${SIGNAL} --report-directory=${FOLDER}`;

/** Kinds of handles that a process may wait for. */
const AWAITED: ReadonlySet<string> = new Set(["tcp", "pipe", "process", "timer", "fs_event"]);

const reportSchema = z.object({
  javascriptStack: z.object({
    message: z.string().optional(),
    stack: z.array(z.string()).optional(),
  }),
  libuv: z.array(
    z.looseObject({
      type: z.string(),
      is_active: z.boolean().optional(),
      is_referenced: z.boolean().optional(),
    }),
  ),
});

/** The stack of a process and what it waits for, as Node tells them. */
export async function reportOf(pid: number): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  const before = new Set(reportsOf(pid));
  process.kill(pid, SIGNAL);
  for (const deadline = performance.now() + ANSWER_MS; performance.now() < deadline;) {
    const path = reportsOf(pid).find((one) => !before.has(one));
    const text = path === undefined ? undefined : summaryOf(path);
    if (text !== undefined) return text;
    await sleep(POLL_MS);
  }
  return `no report within ${ANSWER_MS / 1_000} s`;
}

function reportsOf(pid: number): string[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER)
    .filter((name) => name.split(".")[3] === String(pid))
    .map((name) => join(FOLDER, name));
}

/** @returns undefined while the report is being written */
function summaryOf(path: string): string | undefined {
  try {
    const { javascriptStack, libuv } = reportSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    const handles = libuv
      .filter(({ type, is_active, is_referenced }) => {
        return AWAITED.has(type) && is_active === true && is_referenced === true;
      })
      .map((handle) => JSON.stringify(handle));
    return [...(javascriptStack.stack ?? []), ...handles].join("\n");
  } catch {
    return undefined;
  }
}
