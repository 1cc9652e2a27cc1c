import { fork } from "node:child_process";
import { RankmillError } from "../../core/errors.js";
import type { Compiled } from "./compile-model.js";
import { fromPreparerSchema, type FromPreparer, type ToPreparer } from "./prepare-protocol.js";
import { startedChild } from "../../platform/no-more-files.js";

export interface PrepareProcessOptions {
  /** The compiled `workers/prepare.js`. */
  readonly entryPath: string;
  /** Variables that the process inherits; the caller's own environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

/** Characters of its standard error that are kept for the message of its death. */
const STDERR_TAIL_CHARS = 2_000;

/**
 * Compiles a model in a process of its own: the runtime blocks its thread for seconds, takes twice
 * the model's memory meanwhile, and may be killed for it without taking the worker along.
 *
 * @throws RankmillError `prepare_failed` with the reason
 */
export async function runPreparer(
  request: Omit<ToPreparer, "type" | "parentPid">,
  options: PrepareProcessOptions,
): Promise<Compiled> {
  const child = startedChild(
    fork(options.entryPath, [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [],
      // ONNX Runtime >= 1.29 sends telemetry unless this is set before it loads.
      env: { ...options.env, ORT_DISABLE_TELEMETRY: "1" },
    }),
  );
  let stderrTail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderrTail = (stderrTail + text).slice(-STDERR_TAIL_CHARS);
  });
  const answered = new Promise<FromPreparer>((resolve) => {
    child.once("message", (said) => {
      const message = fromPreparerSchema.safeParse(said).data;
      resolve(
        message ?? { type: "failed", message: "its process sent a message that no preparer sends" },
      );
    });
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(howItEnded(code, signal)));
  });
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, options.timeoutMs, `not done after ${options.timeoutMs} ms`);
  });
  child.send(
    { type: "prepare", parentPid: process.pid, ...request } satisfies ToPreparer,
    // A send that fails means that the process is going; its exit says the rest.
    () => {},
  );
  const first = await Promise.race([answered, ended, timedOut]);
  clearTimeout(timer);
  // The process has done its work, and its files may be touched only once it is gone.
  child.kill("SIGKILL");
  await ended;
  if (typeof first === "string") {
    const tail = stderrTail.trim().split("\n").at(-1) ?? "";
    throw new RankmillError("prepare_failed", tail === "" ? first : `${first}: ${tail}`);
  }
  if (first.type === "failed") throw new RankmillError("prepare_failed", first.message);
  return { unmasked: first.unmasked };
}

function howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL") return "its process was killed, most likely for want of memory";
  return signal === null ? `its process exited ${String(code)}` : `its process died of ${signal}`;
}
