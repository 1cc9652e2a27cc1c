import { Worker } from "node:worker_threads";
import { RankmillError } from "../../core/errors.js";
import type { PairTemplate } from "../../core/pair-assembly.js";
import type { Tokenizer } from "../../core/ports/tokenizer.js";
import type { TokenizerKindName } from "../kinds/registry.js";
import type { EncodeMessage, FromThread, ThreadData } from "./thread-protocol.js";
import { isNoMoreFiles, noMoreFiles } from "../../platform/no-more-files.js";

/**
 * Requests in the thread at once: one is encoded while the next is copied in and the last one's ids
 * are copied out. The others wait on this side, where their texts exist anyway.
 */
const MAX_REQUESTS_IN_THREAD = 2;
/**
 * AutoTokenizer passes the tokens of a word as arguments of one call, and in a script without
 * spaces a whole document is a word: 4 MB, the default, ends at some 300,000 tokens.
 */
const STACK_MIB = 64;

interface Request {
  readonly texts: readonly string[];
  readonly atLeastTokens: number | undefined;
  readonly resolve: (ids: Int32Array[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A tokenizer in a thread of its own.
 *
 * *ready*: `#worker` runs; requests go to it, at most `MAX_REQUESTS_IN_THREAD` at once. *dead*: the
 * thread ended by itself (out of memory); what it held was rejected as `internal`, and the next
 * request starts another. *closed*: for good; requests are rejected as `cancelled`.
 */
export class ThreadTokenizer implements Tokenizer {
  readonly kind: TokenizerKindName;
  readonly #entry: URL;
  readonly #data: ThreadData;
  readonly #waiting: Request[] = [];
  readonly #inThread = new Map<number, Request>();
  /** Undefined while dead or closed. */
  #worker: Worker | undefined;
  #restarting: Promise<void> | undefined;
  #closed = false;
  #seq = 0;

  private constructor(entry: URL, data: ThreadData, started: StartedThread) {
    this.kind = started.kind;
    this.#entry = entry;
    // Another kind could give other ids in the middle of a run.
    this.#data = { ...data, choice: started.kind };
    this.#adopt(started.worker);
  }

  /** @throws RankmillError `model_unusable`, `missing_dependency` */
  static async open(
    entry: URL,
    data: ThreadData,
  ): Promise<{ tokenizer: ThreadTokenizer; template: PairTemplate; notes: readonly string[] }> {
    const started = await startThread(entry, data);
    const { template, notes } = started;
    return { tokenizer: new ThreadTokenizer(entry, data, started), template, notes };
  }

  encode(texts: readonly string[], atLeastTokens?: number): Promise<Int32Array[]> {
    if (texts.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ texts, atLeastTokens, resolve, reject });
      this.#pump();
    });
  }

  /** Rejects what is under way as `cancelled`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rejectAll(new RankmillError("cancelled", "the tokenizer was closed"));
    await this.#restarting;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #pump(): void {
    if (this.#closed) {
      this.#rejectAll(new RankmillError("cancelled", "the tokenizer is closed"));
      return;
    }
    if (this.#worker === undefined) {
      if (this.#waiting.length > 0) this.#restarting ??= this.#restart();
      return;
    }
    while (this.#inThread.size < MAX_REQUESTS_IN_THREAD) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      this.#seq += 1;
      this.#inThread.set(this.#seq, request);
      const { texts, atLeastTokens } = request;
      const message: EncodeMessage = { seq: this.#seq, texts, atLeastTokens };
      this.#worker.postMessage(message, []);
    }
  }

  async #restart(): Promise<void> {
    try {
      const { worker } = await startThread(this.#entry, this.#data);
      this.#adopt(worker);
    } catch (error) {
      this.#rejectAll(error as Error);
    } finally {
      this.#restarting = undefined;
    }
    this.#pump();
  }

  #adopt(worker: Worker): void {
    this.#worker = worker;
    let reason = "it ended by itself";
    worker.on("message", (message: FromThread) => this.#receive(message));
    worker.on("error", (error) => {
      reason = error.message;
    });
    worker.on("exit", () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const died = new RankmillError("internal", `the tokenizer's thread died: ${reason}`);
      for (const request of this.#takeInThread()) request.reject(died);
      this.#pump();
    });
  }

  #receive(message: FromThread): void {
    if (message.type !== "encoded" && message.type !== "failed") return;
    const request = this.#inThread.get(message.seq);
    this.#inThread.delete(message.seq);
    if (message.type === "failed") {
      request?.reject(new RankmillError(message.code, message.message));
    } else {
      // Copies: a view would keep the ids of all its neighbours in memory, and be sent with them.
      const { ids, ends } = message;
      request?.resolve(Array.from(ends, (end, index) => ids.slice(ends[index - 1] ?? 0, end)));
    }
    this.#pump();
  }

  #rejectAll(error: Error): void {
    const requests = [...this.#takeInThread(), ...this.#waiting.splice(0)];
    for (const request of requests) request.reject(error);
  }

  #takeInThread(): Request[] {
    const requests = [...this.#inThread.values()];
    this.#inThread.clear();
    return requests;
  }
}

interface StartedThread {
  readonly worker: Worker;
  readonly kind: TokenizerKindName;
  readonly template: PairTemplate;
  readonly notes: readonly string[];
}

async function startThread(entry: URL, data: ThreadData): Promise<StartedThread> {
  const worker = new Worker(entry, {
    workerData: data,
    // All that the thread sees of the environment: no tokens, and no telemetry should a later
    // version of a library load ONNX Runtime.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    execArgv: [],
    resourceLimits: { stackSizeMb: STACK_MIB },
  });
  const first = await new Promise<FromThread>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("it ended before it was ready")));
  }).catch((error: unknown) => {
    if (isNoMoreFiles(error)) throw noMoreFiles("thread");
    throw new RankmillError("internal", `the tokenizer's thread cannot start: ${String(error)}`, {
      cause: error,
    });
  });
  if (first.type === "ready") {
    const { kind, template, notes } = first;
    return { worker, kind, template, notes };
  }
  await worker.terminate();
  if (first.type === "unusable") throw new RankmillError(first.code, first.message);
  throw new RankmillError("internal", "the tokenizer's thread spoke before it was ready");
}
