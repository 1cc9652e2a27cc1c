import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { DIST } from "./places.js";
import { say } from "./print.js";

const STOP_DEADLINE_MS = 10_000;

/** `rankmill worker` as a user starts it. */
export class RankmillWorker {
  /** From the start of its process until every lane was ready. */
  readonly startSeconds: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, startSeconds: number) {
    this.#child = child;
    this.startSeconds = startSeconds;
  }

  /** Resolves once every lane is ready. @throws if the worker ends before that */
  static async start(redisUrl: string, args: readonly string[]): Promise<RankmillWorker> {
    const started = performance.now();
    const child = spawn(
      process.execPath,
      [join(DIST, "producers/cli/main.js"), "worker", "--redis-url", redisUrl, ...args],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const ready = new Promise<void>((resolve, reject) => {
      let lanesReady = 0;
      let lanes = Infinity;
      let last = "";
      createInterface({ input: child.stdout }).on("line", (line) => {
        last = line;
        const entry = JSON.parse(line) as { msg?: string; lanes?: number };
        // The worker's plan is part of the result: "2 lanes × 1 thread …".
        if (entry.msg?.includes(" × ") === true) say(`  ${entry.msg}`);
        if (entry.msg === "lane ready") lanesReady += 1;
        if (entry.msg === "ready") lanes = entry.lanes ?? 1;
        if (lanesReady >= lanes) resolve();
      });
      child.once("error", reject);
      child.once("exit", () => {
        reject(new Error(`rankmill worker ended before it was ready: ${last}`));
      });
    });
    await ready;
    return new RankmillWorker(child, (performance.now() - started) / 1000);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(deadline);
  }
}
