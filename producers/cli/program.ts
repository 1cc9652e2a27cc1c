import { Command } from "commander";
import { packageVersion } from "../../src/platform/package-root.js";
import { addDashboard } from "./commands/dashboard.js";
import { addDoctor } from "./commands/doctor.js";
import { addEval } from "./commands/eval.js";
import { addFailures } from "./commands/failures.js";
import { addHealth } from "./commands/health.js";
import { addModels } from "./commands/models.js";
import { addPurge } from "./commands/purge.js";
import { addResults } from "./commands/results.js";
import { addCancel, addRetry } from "./commands/run-control.js";
import { addRunner } from "./commands/runner.js";
import { addRun } from "./commands/run.js";
import { addSchema } from "./commands/schema.js";
import { addSetup } from "./commands/setup.js";
import { addStatus } from "./commands/status.js";
import { addSubmit } from "./commands/submit.js";
import { addWorker } from "./commands/worker.js";
import { env, say } from "./context.js";
import { startTracing } from "./tracing.js";

/** The whole command line: what `main.ts` runs and the page of options is made from. */
export function createProgram(): Command {
  const program = new Command("rankmill")
    .description("Bulk cross-encoder reranking as durable jobs on Redis.")
    .version(packageVersion())
    .helpOption("-h, --help", "show this help")
    // Descriptions hold choices and defaults; a variable is named only if its name is unusual.
    .configureHelp({ optionDescription: ({ description }) => description })
    .configureOutput({
      writeErr: (text) => say(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, "rankmill: ")),
    })
    .exitOverride()
    .hook("preAction", async (_, action) => await startTracing(action.name(), env));
  addRun(program);
  addWorker(program);
  addRunner(program);
  addSubmit(program);
  addStatus(program);
  addResults(program);
  addFailures(program);
  addCancel(program);
  addRetry(program);
  addPurge(program);
  addEval(program);
  addHealth(program);
  addDoctor(program);
  addDashboard(program);
  addModels(program);
  addSetup(program);
  addSchema(program);
  for (const command of commandsIn(program)) command.showHelpAfterError(helpHint(command));
  return program;
}

/** The command that `args` name, for a hint to its help. */
export function commandNamed(program: Command, args: readonly string[]): Command {
  const [name, ...rest] = args;
  const child = program.commands.find((one) => one.name() === name);
  return child === undefined ? program : commandNamed(child, rest);
}

/** `(rankmill models pull --help lists its options)`. */
export function helpHint(command: Command): string {
  const what = command.commands.length === 0 ? "options" : "commands";
  return `(${fullName(command)} --help lists its ${what})`;
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function commandsIn(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(commandsIn)];
}
