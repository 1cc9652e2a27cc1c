import process from "node:process";
import { CommanderError } from "commander";
import { RankmillError } from "../../src/core/errors.js";
import { asRedisError } from "../../src/redis/redis-refusal.js";
import { asSystemError } from "./system-error.js";
import { hadRankings, say } from "./terminal.js";
import { EXIT, exitCodeOf } from "./exit-codes.js";
import { commandNamed, createProgram, helpHint } from "./program.js";
import { wasStopped } from "./stop-signal.js";
import { endTracing } from "./tracing.js";

/**
 * Runs the command line; the process ends by itself.
 *
 * @param args the command and its arguments, as typed after `rankmill`
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  // A pipe that its reader has closed (`| head`) is an end, not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    if (!hadRankings()) process.exit(EXIT.ok);
    say("rankmill: standard output was closed before all rankings were written to it");
    process.exit(EXIT.unexpected);
  });
  const program = await createProgram(wantedCommand(args));
  let hasFailed = false;
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    hasFailed = true;
    process.exitCode = await report(error, helpHint(commandNamed(program, args)));
  }
  await endTracing();
  // Standard output must be written before the end: a pipe may take its time.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  endSoon(hasFailed);
}

/** The name of a command in `run --input …`, `help run`; empty if there is none. */
function wantedCommand(args: readonly string[]): string {
  const [first = "", second = ""] = args.filter((arg) => !arg.startsWith("-"));
  return first === "help" ? second : first;
}

/** Longer than anything takes that closes by itself once its owner has let it go. */
const LINGER_MS = 2_000;

/**
 * Lets the process end by itself. A resource that a command forgot to close would keep it alive for
 * ever: it is named, and the process ends all the same.
 */
function endSoon(hasFailed: boolean): void {
  // A stop does not wait for what was still being opened, nor a failure for the pause that the queue's library makes
  // after an error of a connection, five seconds.
  if (wasStopped() || hasFailed) process.exit();
  setTimeout(() => {
    say(`rankmill: left open at the end: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit();
  }, LINGER_MS).unref();
}

/** Says why a command failed. @returns the exit code */
async function report(raised: unknown, hint: string): Promise<number> {
  if (raised instanceof CommanderError) return raised.exitCode === 0 ? EXIT.ok : EXIT.usage;
  // Loaded only now: the words for options come from all commands' options.
  const { sayError } = await import("./say-error.js");
  const error = asSystemError(asRedisError(raised));
  say(`rankmill: ${sayError(error)}`);
  if (error instanceof RankmillError && error.code === "invalid_option") say(hint);
  if (!(error instanceof RankmillError) && error instanceof Error)
    say(...(error.stack ?? "").split("\n"));
  return exitCodeOf(error);
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
