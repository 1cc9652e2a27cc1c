import { fork, type ChildProcess } from "node:child_process";
import { RankmillError } from "../core/errors.js";
import type { EncodedPair, Lane } from "../core/ports.js";
import type { FromLane, LaneModel, ToLane } from "./lane-protocol.js";

export interface LaneProcessOptions {
  /** The compiled `workers/lane.js`. */
  readonly entryPath: string;
  readonly model: LaneModel;
  /** Variables that the lane inherits; the caller's own environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly openTimeoutMs: number;
}

/** Characters of a lane's standard error that are kept for the message of its death. */
const STDERR_TAIL_CHARS = 2_000;

interface Pending {
  readonly seq: number;
  readonly resolve: (logits: number[][]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The worker's handle on one lane process.
 *
 * *starting*: forked, opening the model. *ready*: waits for a message. *busy*: has one message.
 * *dead*: the process is gone, for whatever reason; what it had in hand was rejected with
 * `lane_failed`. There is no way back from dead.
 */
export class LaneProcess implements Lane {
  readonly id: number;
  readonly pid: number;
  /** Resident bytes as of its last message, 0 before. */
  residentBytes = 0;
  /** Resolves with the reason once the process is gone. */
  readonly died: Promise<string>;
  readonly #child: ChildProcess;
  #alive = true;
  #seq = 0;
  #pending: Pending | undefined;
  #stderrTail = "";
  #onReady: ((message: FromLane) => void) | undefined;

  private constructor(id: number, child: ChildProcess) {
    this.id = id;
    this.pid = child.pid ?? 0;
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_TAIL_CHARS);
    });
    child.on("message", (message: FromLane) => this.#receive(message));
    this.died = new Promise((resolve) => {
      child.once("error", (error) => resolve(this.#end(error.message)));
      child.once("exit", (code, signal) => {
        resolve(this.#end(signal === null ? `exit ${String(code)}` : `killed by ${signal}`));
      });
    });
  }

  /**
   * Forks a lane and waits until it has run the model once.
   *
   * @throws RankmillError `model_unusable` and `missing_dependency` (final), `lane_failed` (the
   *   process died or took longer than `openTimeoutMs`)
   */
  static async start(id: number, options: LaneProcessOptions): Promise<LaneProcess> {
    const child = fork(options.entryPath, [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [],
      // ONNX Runtime >= 1.29 sends telemetry unless this is set before it loads.
      env: { ...options.env, ORT_DISABLE_TELEMETRY: "1" },
    });
    const lane = new LaneProcess(id, child);
    const opened = new Promise<FromLane>((resolve) => {
      lane.#onReady = resolve;
    });
    lane.#send({ type: "open", model: options.model, parentPid: process.pid });
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<string>((resolve) => {
      timer = setTimeout(
        resolve,
        options.openTimeoutMs,
        `not ready after ${options.openTimeoutMs} ms`,
      );
    });
    const first = await Promise.race([opened, lane.died, timedOut]);
    clearTimeout(timer);
    if (typeof first !== "string" && first.type === "ready") return lane;
    lane.kill();
    if (typeof first !== "string" && first.type === "unusable") {
      throw new RankmillError(first.code, first.message);
    }
    const reason = typeof first === "string" ? first : first.type;
    throw new RankmillError("lane_failed", `lane ${id} did not start: ${reason}`);
  }

  get alive(): boolean {
    return this.#alive;
  }

  async run(runs: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    if (!this.#alive) throw new RankmillError("lane_failed", `lane ${this.id} is dead`);
    if (this.#pending !== undefined) throw new Error(`lane ${this.id} is busy`);
    this.#seq += 1;
    const seq = this.#seq;
    return await new Promise<number[][]>((resolve, reject) => {
      this.#pending = { seq, resolve, reject };
      this.#send({
        type: "run",
        seq,
        runs: runs.map((pairs) => ({
          ids: pairs.map((pair) => pair.ids),
          secondStarts: pairs.map((pair) => pair.secondStart),
        })),
      });
    });
  }

  /** Ends the process at once; a lane holds nothing that another cannot do again. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #send(message: ToLane): void {
    // A send that fails means that the process is going; its exit says the rest.
    this.#child.send(message, () => {});
  }

  #receive(message: FromLane): void {
    if (message.type === "ready" || message.type === "unusable") {
      this.#onReady?.(message);
      return;
    }
    const pending = this.#pending;
    if (pending?.seq !== message.seq) return;
    this.#pending = undefined;
    if (message.type === "failed") {
      pending.reject(new RankmillError("lane_failed", message.message));
      return;
    }
    this.residentBytes = message.residentBytes;
    pending.resolve(message.logits.map((row) => Array.from(row)));
  }

  #end(how: string): string {
    this.#alive = false;
    const tail = this.#stderrTail.trim().split("\n").at(-1) ?? "";
    const reason = tail === "" ? how : `${how}: ${tail}`;
    this.#pending?.reject(new RankmillError("lane_failed", `lane ${this.id} died (${reason})`));
    this.#pending = undefined;
    return reason;
  }
}
