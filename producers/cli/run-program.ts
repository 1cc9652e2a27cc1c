import process from "node:process";
import { CommanderError } from "commander";
import { RankmillError } from "../../src/core/errors.js";
import { asRedisError } from "../../src/redis/redis-refusal.js";
import { say } from "./context.js";
import { EXIT, exitCodeOf } from "./exit-codes.js";
import { createProgram } from "./program.js";
import { sayError } from "./say-error.js";
import { endTracing } from "./tracing.js";

/**
 * Runs the command line and ends the process.
 *
 * @param args the command and its arguments, as typed after `rankmill`
 */
export async function runProgram(args: readonly string[]): Promise<never> {
  // A pipe that its reader has closed (`| head`) is an end, not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    throw error;
  });
  try {
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = report(asRedisError(error));
  }
  await endTracing();
  // Standard output must be written before the end: a pipe may take its time.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  // A handle that a failed start left open must not keep a finished command alive.
  process.exit();
}

/** Says why a command failed. @returns the exit code */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  say(`rankmill: ${sayError(error)}`);
  if (!(error instanceof RankmillError) && error instanceof Error) say(error.stack ?? "");
  return exitCodeOf(error);
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
