import { fork, type ChildProcess } from "node:child_process";
import { LANE_ENTRY } from "../../platform/process-entries.js";
import type { Device } from "../devices/device.js";
import { deviceOf } from "../devices/registry.js";
import { RankmillError } from "../../core/errors.js";
import { deadlineMs, UNMEASURED_TIMING, type BatchShape } from "../../core/cost/lane-cost.js";
import type { EncodedPair } from "../../core/pair.js";
import type { Lane } from "../../core/ports/lane.js";
import { parseFromLane, type FromLane } from "./lane-answers.js";
import { LaneDeadline } from "./lane-deadline.js";
import type { LaneModel, ToLane } from "./lane-protocol.js";
import { runtimeOf } from "../runtime/registry.js";
import { startedChild } from "../../platform/no-more-files.js";

export interface LaneProcessOptions {
  /** Compiled program of the lane. Default: `workers/lane.js`. */
  readonly entryPath?: string | undefined;
  readonly model: LaneModel;
  /** Variables that the lane inherits; the caller's own environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default {@link LANE_OPEN_TIMEOUT_MS}. */
  readonly openTimeoutMs?: number | undefined;
  /**
   * Milliseconds of work after which a message without an answer means that the lane hangs, as
   * {@link LaneDeadline} counts them. Default: the deadline of a model that was never measured.
   */
  readonly deadlineMs?: ((batches: readonly BatchShape[]) => number) | undefined;
  /** True for a lane that is measured and never serves. */
  readonly calibrating?: boolean | undefined;
}

export type LaneState = "starting" | "calibrating" | "ready" | "busy" | "draining" | "dead";

/** The largest model must be read from a cold disk within this. */
export const LANE_OPEN_TIMEOUT_MS = 300_000;
/** Characters of a lane's standard error that are kept for the message of its death. */
const STDERR_TAIL_CHARS = 2_000;
const NEVER = new AbortController().signal;

/** Signals of a process whose code is damaged, among others. */
const CRASH = /^killed by SIG(?:SEGV|BUS|ILL|ABRT)\b/;

function withAdvice(reason: string, { runtime }: LaneModel): string {
  const { crashAdvice } = runtimeOf(runtime?.kind);
  return crashAdvice === undefined || !CRASH.test(reason) ? reason : `${reason}; ${crashAdvice}`;
}

interface Pending {
  readonly seq: number;
  /** Rows of each batch. */
  readonly rows: readonly number[];
  readonly resolve: (logits: number[][]) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: LaneDeadline;
}

/**
 * The worker's handle on one lane process, and its states:
 *
 * - *starting*: forked, opening the model. Then *ready*, or *calibrating* if it was started to be
 *   measured, or *dead*: it died, refused the model, or took longer than `openTimeoutMs`.
 * - *calibrating*: runs made-up pairs one message after the other; ends *dead*, and never serves.
 * - *ready*: waits for a message, then *busy*.
 * - *busy*: has one message. Its answer makes it *ready* again. Without an answer by the message's
 *   deadline it hangs: it is killed. So it is if its answer says that the device's context is
 *   broken: every later batch would fail as well.
 * - *draining*: finishes what it has and takes nothing more; then *dead*. Without anything in hand it
 *   dies at once.
 * - *dead*: the process is gone, for whatever reason; what it had in hand was rejected with
 *   `lane_failed`, and `died` resolves with the reason. There is no way back.
 */
export class LaneProcess implements Lane {
  readonly id: number;
  readonly pid: number;
  /** Its own memory as of its last message, in bytes, without mapped files; 0 before. */
  residentBytes = 0;
  /** Its own memory when it had just become ready. */
  readyBytes = 0;
  /** Bytes of its memory that hold prefixes, for which the plan has room apart. */
  prefixBytes = 0;
  /** The least shape that its device's memory did not hold when it was warmed up. */
  tooLarge: BatchShape | undefined;
  /** True once it has answered a message with logits. */
  answered = false;
  /** Resolves with the reason once the process is gone. */
  readonly died: Promise<string>;
  readonly #child: ChildProcess;
  readonly #deadlineMs: (batches: readonly BatchShape[]) => number;
  readonly #calibrating: boolean;
  readonly #device: Device;
  #state: LaneState = "starting";
  /** The reason why it was killed on purpose: more telling than the signal. */
  #killReason: string | undefined;
  #seq = 0;
  #pending: Pending | undefined;
  #stderrTail = "";
  #onReady: ((message: FromLane) => void) | undefined;

  private constructor(id: number, child: ChildProcess, options: LaneProcessOptions) {
    this.id = id;
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#calibrating = options.calibrating ?? false;
    this.#device = deviceOf(options.model.device);
    this.#deadlineMs = options.deadlineMs ?? ((batches) => deadlineMs(UNMEASURED_TIMING, batches));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderrTail = (this.#stderrTail + text).slice(-STDERR_TAIL_CHARS);
    });
    child.on("message", (said) => {
      const message = parseFromLane(said);
      if (message === undefined) this.kill("it sent a message that no lane sends");
      else this.#receive(message);
    });
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
   * @param signal aborts to give up the start: the process is killed
   * @throws RankmillError `model_unusable` and `missing_dependency` (final), `lane_failed` (the
   *   process died or took longer than `openTimeoutMs`)
   */
  static async start(
    id: number,
    options: LaneProcessOptions,
    signal: AbortSignal = NEVER,
  ): Promise<LaneProcess> {
    const { entryPath = LANE_ENTRY, openTimeoutMs = LANE_OPEN_TIMEOUT_MS } = options;
    const child = startedChild(
      fork(entryPath, [], {
        serialization: "advanced",
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        execArgv: [],
        // ONNX Runtime >= 1.29 sends telemetry unless this is set before it loads.
        env: { ...options.env, ORT_DISABLE_TELEMETRY: "1" },
      }),
    );
    const lane = new LaneProcess(id, child, options);
    const opened = new Promise<FromLane>((resolve) => {
      lane.#onReady = resolve;
    });
    lane.#send({ type: "open", model: options.model, parentPid: process.pid });
    let deadline: LaneDeadline | undefined;
    const timedOut = new Promise<string>((resolve) => {
      const onPassed = (): void => resolve(`not ready after ${openTimeoutMs} ms`);
      deadline = new LaneDeadline({ pid: lane.pid, limitMs: openTimeoutMs, onPassed });
    });
    const giveUp = (): void => lane.kill("its start was given up");
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    const first = await Promise.race([opened, lane.died, timedOut]);
    signal.removeEventListener("abort", giveUp);
    deadline?.stop();
    if (typeof first !== "string" && first.type === "ready") {
      lane.residentBytes = first.residentBytes;
      lane.readyBytes = first.residentBytes;
      lane.tooLarge = first.tooLarge;
      if (lane.#state === "starting") lane.#state = lane.#idleState;
      return lane;
    }
    lane.kill();
    if (typeof first !== "string" && first.type === "unusable") {
      throw new RankmillError(first.code, first.message);
    }
    const reason = typeof first === "string" ? withAdvice(first, options.model) : first.type;
    throw new RankmillError("lane_failed", `lane ${id} did not start: ${reason}`);
  }

  get state(): LaneState {
    return this.#state;
  }

  get alive(): boolean {
    return this.#state !== "dead";
  }

  /** 0 on a card, whose memory this process's size says nothing about. */
  get grownBytes(): number {
    if (this.#device.memory.kind === "own") return 0;
    return Math.max(0, this.residentBytes - this.readyBytes - this.prefixBytes);
  }

  async score(batches: readonly (readonly EncodedPair[])[]): Promise<number[][]> {
    if (this.#state === "dead" || this.#state === "draining") {
      throw new RankmillError("lane_failed", `lane ${this.id} is ${this.#state}`);
    }
    if (this.#pending !== undefined) throw new Error(`lane ${this.id} is busy`);
    this.#seq += 1;
    const seq = this.#seq;
    const limitMs = this.#deadlineMs(
      batches.map((pairs) => ({
        rows: pairs.length,
        length: pairs.reduce((longest, { ids }) => Math.max(longest, ids.length), 0),
      })),
    );
    return await new Promise<number[][]>((resolve, reject) => {
      const deadline = new LaneDeadline({
        pid: this.pid,
        limitMs,
        onPassed: () => {
          if (this.#pending?.seq === seq) this.kill(`hung: no answer in ${limitMs} ms`);
        },
      });
      const rows = batches.map((pairs) => pairs.length);
      this.#pending = { seq, rows, resolve, reject, deadline };
      if (this.#state === "ready") this.#state = "busy";
      this.#send({
        type: "score",
        seq,
        batches: batches.map((pairs) => ({
          ids: pairs.map((pair) => pair.ids),
          secondStarts: pairs.map((pair) => pair.secondStart),
        })),
      });
    });
  }

  /**
   * Ends the process at once; a lane holds nothing that another cannot do again.
   *
   * @param reason what `died` says in place of the signal
   */
  kill(reason?: string): void {
    if (this.#state === "dead") return;
    this.#killReason ??= reason;
    this.#child.kill("SIGKILL");
  }

  /** Lets it finish what it has, then ends it. Resolves once the process is gone. */
  async drain(reason: string): Promise<void> {
    if (this.#state !== "dead") this.#state = "draining";
    if (this.#pending === undefined) this.kill(reason);
    else this.#killReason ??= reason;
    await this.died;
  }

  get #idleState(): LaneState {
    return this.#calibrating ? "calibrating" : "ready";
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
    const broken = message.type === "failed" ? this.#device.whatBroke(message.message) : undefined;
    if (broken !== undefined) {
      // Its end rejects the batch in hand, so that nobody gives it more.
      this.kill(broken);
      return;
    }
    if (message.type === "done" && !fits(message.logits, pending.rows)) {
      this.kill("it answered with another number of logits than rows");
      return;
    }
    this.#pending = undefined;
    pending.deadline.stop();
    if (this.#state === "draining") this.kill();
    else this.#state = this.#idleState;
    if (message.type === "failed") {
      pending.reject(new RankmillError("lane_failed", message.message));
      return;
    }
    this.residentBytes = message.residentBytes;
    this.prefixBytes = message.prefixBytes ?? 0;
    this.answered = true;
    pending.resolve(message.logits.map((row) => Array.from(row)));
  }

  #end(how: string): string {
    this.#state = "dead";
    const tail = this.#stderrTail.trim().split("\n").at(-1) ?? "";
    const reason = this.#killReason ?? (tail === "" ? how : `${how}: ${tail}`);
    this.#pending?.deadline.stop();
    this.#pending?.reject(new RankmillError("lane_failed", `lane ${this.id} died (${reason})`));
    this.#pending = undefined;
    return reason;
  }
}

function fits(logits: readonly Float32Array[], rows: readonly number[]): boolean {
  return logits.length === rows.length && logits.every((row, at) => row.length === rows[at]);
}
