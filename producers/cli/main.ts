#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { describeError, RankmillError } from "../../src/core/errors.js";
import { packageVersion } from "../../src/models/package-root.js";
import { addModels } from "./commands/models.js";
import { addResults } from "./commands/results.js";
import { addCancel, addRetry } from "./commands/run-control.js";
import { addRun } from "./commands/run.js";
import { addSchema } from "./commands/schema.js";
import { addStatus } from "./commands/status.js";
import { addSubmit } from "./commands/submit.js";
import { addWorker } from "./commands/worker.js";
import { say } from "./context.js";
import { EXIT, exitCodeOf } from "./exit-codes.js";

const program = new Command("rankmill")
  .description("Bulk cross-encoder reranking as durable jobs on Redis.")
  .version(packageVersion())
  .showHelpAfterError("(rankmill --help says more)")
  .configureOutput({ writeErr: (text) => say(text.trimEnd()) })
  .exitOverride();

addRun(program);
addWorker(program);
addSubmit(program);
addStatus(program);
addResults(program);
addCancel(program);
addRetry(program);
addModels(program);
addSchema(program);

/** What a pipe that was closed by its reader (`| head`) raises: an end, not an error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

try {
  await program.parseAsync();
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
