#!/usr/bin/env node
import { CommanderError } from "commander";
import { describeError, RankmillError } from "../../src/core/errors.js";
import { say } from "./context.js";
import { EXIT, exitCodeOf } from "./exit-codes.js";
import { createProgram } from "./program.js";

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
// A handle that a failed start left open must not keep a finished command alive.
process.exit();
