import { fork } from "node:child_process";
import { z } from "zod";
import { cudaEnv } from "./cuda-env.js";
import { startedChild } from "../../../platform/no-more-files.js";

export interface ProbeOptions {
  /** The compiled `workers/cuda-probe.js`. */
  readonly entryPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly libraryDir: string | undefined;
}

export type ProbeResult =
  | { readonly status: "works" }
  /** All that it threw and wrote, to be explained. */
  | { readonly status: "failed"; readonly said: string };

const fromProbeSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("works") }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);

/** A message from the child to its parent. */
export type FromProbe = z.infer<typeof fromProbeSchema>;

/** The driver may compile nothing and load a gigabyte of libraries from a cold disk. */
const TIMEOUT_MS = 120_000;
const STDERR_TAIL_CHARS = 8_000;

/** Lets a process of its own multiply two numbers on the GPU. Never rejects. */
export async function probeCuda(options: ProbeOptions): Promise<ProbeResult> {
  const child = startedChild(
    fork(options.entryPath, [], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [],
      env: { ...cudaEnv(options.env, options.libraryDir), ORT_DISABLE_TELEMETRY: "1" },
    }),
  );
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-STDERR_TAIL_CHARS);
  });
  let answer: FromProbe | undefined;
  child.on("message", (said) => (answer = fromProbeSchema.safeParse(said).data));
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const how = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(`a trial ended with ${signal ?? String(code)}`));
  });
  clearTimeout(timer);
  if (answer?.type === "works") return { status: "works" };
  // The runtime throws "Failed to load shared library"; which one and why stands on standard error.
  return {
    status: "failed",
    said: [answer?.type === "failed" ? answer.message : how, stderr].join("\n"),
  };
}
