import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Every process of a chaos run carries it; what a test runs under one of its own is found by it. */
export const CHAOS_MARK = "RANKMILL_CHAOS";

const GUARDIAN = fileURLToPath(new URL("guardian.ts", import.meta.url));

/** Things to remove beside processes. */
export interface Leavings {
  readonly folders: readonly string[];
  readonly mounts: readonly string[];
}

/**
 * A process that outlives a chaos run for as long as it takes to end all that the run has started: the run may be
 * killed, and Node has no signal for the death of a parent.
 */
export class Guard {
  readonly mark = randomUUID();
  readonly #child: ChildProcess;
  readonly #outer = process.env[CHAOS_MARK];

  constructor() {
    this.#child = fork(GUARDIAN, [CHAOS_MARK, this.mark], {
      execArgv: ["--import", "tsx"],
      // In a session of its own: what ends the run's group must leave it.
      detached: true,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#child.unref();
    this.#child.channel?.unref();
    // Inherited by what the run starts from now on.
    process.env[CHAOS_MARK] = this.mark;
  }

  /** Variables of processes that inherit nothing. */
  get env(): Readonly<Record<string, string>> {
    return { [CHAOS_MARK]: this.mark };
  }

  tell(leavings: Leavings): void {
    this.#child.send(leavings);
  }

  /** What is started from now on is not the run's, and must not be taken for a part of it. */
  close(): void {
    if (this.#outer === undefined) delete process.env[CHAOS_MARK];
    else process.env[CHAOS_MARK] = this.#outer;
    this.#child.disconnect();
  }
}
