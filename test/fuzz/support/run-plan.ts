/** Cases in child processes, each case within bounds of time and memory. */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CaseRange, ChildMessage } from "../child.js";

const CHILD = fileURLToPath(new URL("../child.ts", import.meta.url));
/** A case takes milliseconds; time of the processor, since the machine may have other things to do. */
const MOST_CASE_CPU_MS = 20_000;
/** A case that waits for what never comes takes no processor. */
const MOST_CASE_MS = 300_000;
/** A process with the code loaded takes about 200 MB. */
const MOST_RSS_BYTES = 1_000_000_000;
const WATCH_MS = 200;

export interface BrokenCase {
  readonly target: string;
  readonly seed: number;
  readonly number: number;
  readonly why: string;
}

export interface TargetRun {
  readonly target: string;
  readonly cases: number;
  /** Cases that ended with a proper error. */
  readonly refused: number;
  readonly broken: readonly BrokenCase[];
  readonly peakRssBytes: number;
}

/** Runs a plan; a child whose case breaks its bounds is replaced, and the next case goes on. */
export async function runPlan(plan: readonly CaseRange[], seed: number): Promise<TargetRun[]> {
  const broken: BrokenCase[] = [];
  const refused = new Map<string, number>();
  let peakRssBytes = 0;
  for (let left = plan; left.length > 0;) {
    const part = await runChild(left, seed);
    broken.push(...part.broken.map((one) => ({ ...one, seed })));
    for (const [target, cases] of part.refused) {
      refused.set(target, (refused.get(target) ?? 0) + cases);
    }
    peakRssBytes = Math.max(peakRssBytes, part.peakRssBytes);
    left = part.left;
  }
  return plan.map(({ target, count }) => ({
    target,
    cases: count,
    refused: refused.get(target) ?? 0,
    broken: broken.filter((one) => one.target === target),
    peakRssBytes,
  }));
}

interface ChildRun {
  readonly broken: { readonly target: string; readonly number: number; readonly why: string }[];
  readonly refused: Map<string, number>;
  peakRssBytes: number;
  /** The cases that were not run. */
  left: readonly CaseRange[];
}

async function runChild(plan: readonly CaseRange[], seed: number): Promise<ChildRun> {
  const folder = mkdtempSync(join(tmpdir(), "rankmill-fuzz-watch-"));
  const progress = join(folder, "case");
  const found: ChildRun = { broken: [], refused: new Map(), peakRssBytes: 0, left: [] };
  const child = fork(CHILD, [JSON.stringify(plan), String(seed), progress], {
    execArgv: ["--import", "tsx", "--max-old-space-size=700"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-4_000);
  });
  let isDone = false;
  child.on("message", (message: ChildMessage) => {
    if (message.type === "broken") found.broken.push(message);
    else if (message.type === "refused") found.refused.set(message.target, message.cases);
    else {
      isDone = true;
      found.peakRssBytes = Math.max(found.peakRssBytes, message.peakRssBytes);
    }
  });
  const watched = watch(child, progress, found);
  await new Promise((resolve) => child.once("close", resolve));
  const why = watched.stop();
  if (!isDone) {
    const { place, number } = caseUnderWay(progress) ?? { place: 0, number: plan[0]?.first ?? 0 };
    const range = plan[place];
    if (range === undefined) throw new RangeError(`the child did not start: ${stderr}`);
    const died = why ?? `the process died: ${stderr}`;
    found.broken.push({ target: range.target, number, why: died });
    const first = number + 1;
    const rest = { ...range, first, count: range.first + range.count - first };
    found.left = [...(rest.count > 0 ? [rest] : []), ...plan.slice(place + 1)];
  }
  rmSync(folder, { recursive: true, force: true });
  return found;
}

/** Ends a child whose case takes too long or too much. */
function watch(
  child: ChildProcess,
  progress: string,
  found: ChildRun,
): { stop(): string | undefined } {
  let seen: string | undefined;
  let since = performance.now();
  let cpuBefore = 0;
  let why: string | undefined;
  const timer = setInterval(() => {
    const at = caseUnderWay(progress);
    const number = at === undefined ? undefined : `${at.place} ${at.number}`;
    if (number !== seen) {
      seen = number;
      since = performance.now();
      cpuBefore = cpuMsOf(child.pid);
    }
    const rss = rssOf(child.pid);
    found.peakRssBytes = Math.max(found.peakRssBytes, rss);
    if (rss > MOST_RSS_BYTES) why = `takes ${rss} bytes`;
    else if (seen !== undefined && cpuMsOf(child.pid) - cpuBefore > MOST_CASE_CPU_MS)
      why = `takes over ${MOST_CASE_CPU_MS} ms of the processor`;
    else if (performance.now() - since > MOST_CASE_MS) why = `takes over ${MOST_CASE_MS} ms`;
    if (why !== undefined) child.kill("SIGKILL");
  }, WATCH_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return why;
    },
  };
}

function caseUnderWay(progress: string): { place: number; number: number } | undefined {
  try {
    const bytes = readFileSync(progress);
    return { place: bytes.readDoubleLE(), number: bytes.readDoubleLE(8) };
  } catch {
    return undefined;
  }
}

/** Zero where the system does not tell. */
function rssOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

/** One tick of the kernel's clock for processes, as Linux gives it to programs. */
const TICK_MS = 10;

function cpuMsOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}
