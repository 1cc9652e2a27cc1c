import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { DIST } from "../support/places.js";
import { say } from "../support/print.js";
import type { MemoryGroup } from "./memory-group.js";

const STOP_DEADLINE_MS = 30_000;

/** What a worker said while it worked. */
export interface WorkerCounts {
  laneDeaths: number;
  laneReplacements: number;
  budgetLowered: number;
}

/** `rankmill worker` inside a memory group. */
export class LimitedWorker {
  readonly counts: WorkerCounts = { laneDeaths: 0, laneReplacements: 0, budgetLowered: 0 };
  /** Name under which producers find its model. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = once(child, "exit").then(([code, signal]) => String(signal ?? code));
  }

  static async start(
    group: MemoryGroup,
    redisUrl: string,
    args: readonly string[],
  ): Promise<LimitedWorker> {
    const [shell = "sh", ...enter] = group.enter;
    const main = join(DIST, "producers/cli/main.js");
    const child = spawn(
      shell,
      [...enter, process.execPath, main, "worker", "--redis-url", redisUrl, ...args],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const worker = new LimitedWorker(child);
    let last = "";
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        last = line;
        const { msg = "" } = JSON.parse(line) as { msg?: string };
        if (msg.includes(" × ") || msg.includes("instead of") || msg.includes("refused")) {
          say(`  ${msg}`);
        }
        if (msg === "lane died") worker.counts.laneDeaths += 1;
        if (msg === "lane replaced") worker.counts.laneReplacements += 1;
        if (msg.startsWith("a lane ran out of memory")) worker.counts.budgetLowered += 1;
        if (msg === "ready") resolve();
      });
    });
    const ended = await Promise.race([ready, worker.exited]);
    if (ended !== undefined)
      throw new Error(`the worker ended (${ended}) before it was ready: ${last}`);
    return worker;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.alive) return;
    this.#child.kill("SIGTERM");
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await this.exited;
    clearTimeout(deadline);
  }
}
