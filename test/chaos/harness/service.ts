import { setTimeout as sleep } from "node:timers/promises";
import { waitAtMost } from "../../../src/platform/wait-at-most.js";
import type { Bench, CliExit, RunningCli } from "../../support/cli.js";

/** A pause before a process that has ended is started again, as an orchestrator makes it. */
const RESTART_MS = 500;
/** A process that takes longer from SIGTERM to its end did not stop. */
const STOP_MS = 60_000;

export interface ServiceOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Whether the process is done and not to be started again. Default: never. */
  readonly isDone?: (exit: CliExit) => boolean;
}

/** The end of a process that nobody had asked for. */
export interface SelfMadeEnd {
  readonly name: string;
  readonly code: number | null;
  readonly said: string;
}

/** A command that is started again whenever it ends, until it is stopped or done. */
export class Service {
  readonly name: string;
  readonly selfMadeEnds: SelfMadeEnd[] = [];
  isDone = false;
  readonly #bench: Bench;
  readonly #options: ServiceOptions;
  readonly #over: Promise<void>;
  #now: RunningCli | undefined;
  #stopping = false;

  constructor(bench: Bench, options: ServiceOptions) {
    this.name = options.name;
    this.#bench = bench;
    this.#options = options;
    this.#over = this.#keep();
  }

  /** Undefined while nothing runs. */
  get pid(): number | undefined {
    return this.#now?.running === true ? this.#now.pid : undefined;
  }

  get said(): string {
    return this.#now?.said ?? "";
  }

  async says(text: string): Promise<void> {
    while (this.#now === undefined) await sleep(10);
    await this.#now.says(text);
  }

  /** @returns why it did not stop in order; undefined: it did */
  async stop(): Promise<string | undefined> {
    this.#stopping = true;
    const now = this.#now;
    if (now === undefined || !now.running) {
      await this.#over;
      return undefined;
    }
    now.signal("SIGCONT");
    now.signal("SIGTERM");
    const ended = await waitAtMost(now.exited, STOP_MS);
    if (ended.status !== "settled") {
      now.signal("SIGKILL");
      await this.#over;
      return `${this.name} did not end within ${STOP_MS / 1_000} s of SIGTERM`;
    }
    await this.#over;
    const { code, signal } = ended.value;
    if (code === 0) return undefined;
    return `${this.name} ended with ${String(code ?? signal)} at SIGTERM\n${now.said}`;
  }

  async #keep(): Promise<void> {
    const { args, env, isDone = () => false } = this.#options;
    while (!this.#stopping) {
      this.#now = this.#bench.start(args, { env });
      const exit = await this.#now.exited;
      this.isDone = isDone(exit);
      if (this.isDone) return;
      const isOurs = this.#stopping || exit.signal === "SIGKILL";
      if (!isOurs) {
        this.selfMadeEnds.push({ name: this.name, code: exit.code, said: this.#now.said });
      }
      if (!this.#stopping) await sleep(RESTART_MS);
    }
  }
}
