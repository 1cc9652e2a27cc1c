import process from "node:process";
import { CommanderError } from "commander";
import { RankmillError } from "../../src/core/errors.js";
import { asRedisError } from "../../src/redis/redis-refusal.js";
import { EXIT, exitCodeOf } from "./exit-codes.js";
import { commandNamed, createProgram, helpHint, withoutEverywhere } from "./program.js";
import { sayFailure } from "./say-failure.js";
import { asSystemError } from "./system-error.js";
import { say } from "./terminal.js";
import { endTracing } from "./tracing.js";

/**
 * Runs one command to its end and sets the exit code of the process, which may run another one afterwards.
 *
 * @param args the command and its arguments, as typed after `rankmill`
 * @returns whether it failed with an error
 */
export async function runCommand(args: readonly string[]): Promise<boolean> {
  const program = await createProgram(wantedCommand(args));
  let hasFailed = false;
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    hasFailed = true;
    process.exitCode = await report(
      error,
      helpHint(commandNamed(program, withoutEverywhere(args))),
    );
  }
  await endTracing();
  return hasFailed;
}

/** The name of a command in `run --input …`, `help run`; empty if there is none. */
function wantedCommand(args: readonly string[]): string {
  const [first = "", second = ""] = withoutEverywhere(args).filter((arg) => !arg.startsWith("-"));
  return first === "help" ? second : first;
}

/** Says why a command failed. @returns the exit code */
async function report(raised: unknown, hint: string): Promise<number> {
  if (raised instanceof CommanderError) return raised.exitCode === 0 ? EXIT.ok : EXIT.usage;
  // Loaded only now: the words for options come from all commands' options.
  const { sayError } = await import("./say-error.js");
  const error = asSystemError(asRedisError(raised));
  sayFailure(sayError(error));
  if (error instanceof RankmillError && error.code === "invalid_option") say(hint);
  if (!(error instanceof RankmillError) && error instanceof Error)
    say(...(error.stack ?? "").split("\n"));
  return exitCodeOf(error);
}
