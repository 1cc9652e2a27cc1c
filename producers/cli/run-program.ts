import process from "node:process";
import { describeError } from "../../src/core/errors.js";
import { EXIT } from "./exit-codes.js";
import { runCommand } from "./run-command.js";
import { sayFailure } from "./say-failure.js";
import { asSystemError } from "./system-error.js";
import { wasStopped } from "./stop-signal.js";
import { hadRankings, say } from "./terminal.js";

/**
 * Runs the command line; the process ends by itself.
 *
 * @param args the command and its arguments, as typed after `rankmill`
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  // A pipe that its reader has closed (`| head`) is an end, not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") {
      const { message } = describeError(asSystemError(error));
      sayFailure(`standard output cannot be written: ${message}`);
      process.exit(EXIT.unexpected);
    }
    if (!hadRankings()) process.exit(EXIT.ok);
    say("rankmill: standard output was closed before all rankings were written to it");
    process.exit(EXIT.unexpected);
  });
  const hasFailed = await runCommand(args);
  // Standard output must be written before the end: a pipe may take its time.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  endSoon(hasFailed);
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

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
