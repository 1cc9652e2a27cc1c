#!/usr/bin/env node
import { CommanderError } from "commander";
import { describeError, RankmillError } from "../../src/core/errors.js";
import { say } from "./context.js";
import { EXIT, exitCodeOf } from "./exit-codes.js";
import { createProgram } from "./program.js";
import { endTracing } from "./tracing.js";

/** What a pipe that was closed by its reader (`| head`) raises: an end, not an error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    const { message } = describeError(error);
    say(`rankmill: ${message}`);
    if (!(error instanceof RankmillError) && error instanceof Error) say(error.stack ?? "");
    process.exitCode = exitCodeOf(error);
  }
}
await endTracing();
// What was printed must be out before the end: a pipe may take its time.
await Promise.all([process.stdout, process.stderr].map(flushed));
// A handle that a failed start left open must not keep a finished command alive.
process.exit();

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
