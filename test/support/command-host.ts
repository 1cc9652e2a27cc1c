/**
 * A process that runs commands one after another. A start of the program takes a second of a core, most of
 * it to load code: tests that ask many commands for their words, files and exit codes ask them here.
 */
import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import { dist } from "./dist.js";

const ENTRY = fileURLToPath(new URL("command-host.mjs", import.meta.url));
const RUN_COMMAND = pathToFileURL(join(dist, "producers/cli/run-command.js")).href;
const endSchema = z.object({ code: z.number() });

export interface HostedCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface HostedEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

class CommandHost {
  readonly #child: ChildProcess;
  readonly #died: Promise<never>;
  #stdout = "";
  #stderr = "";
  #heard: () => void = () => undefined;
  /** The command before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#child = fork(ENTRY, [RUN_COMMAND], {
      env: { PATH: process.env["PATH"] },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#died = once(this.#child, "exit").then(([code]) => {
      throw new Error(`the process of commands ended with ${String(code)}\n${this.#stderr}`);
    });
    // Seen by the command that waits, if one does.
    this.#died.catch(() => undefined);
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#heard();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#heard();
    });
  }

  get isAlive(): boolean {
    return this.#child.connected;
  }

  async run(command: HostedCommand): Promise<HostedEnd> {
    const end = this.#last.then(async () => await this.#runNext(command));
    this.#last = end.catch(() => undefined);
    return await end;
  }

  async #runNext(command: HostedCommand): Promise<HostedEnd> {
    const mark = `\0${randomUUID()}\0`;
    [this.#stdout, this.#stderr] = ["", ""];
    const written = new Promise<void>((resolve) => {
      this.#heard = () => {
        if (this.#stdout.endsWith(mark) && this.#stderr.endsWith(mark)) resolve();
      };
    });
    const answer = new Promise<unknown>((resolve) => this.#child.once("message", resolve));
    this.#child.send({ ...command, mark });
    const message = await Promise.race([answer, this.#died]);
    await Promise.race([written, this.#died]);
    return {
      code: endSchema.parse(message).code,
      stdout: this.#stdout.slice(0, -mark.length),
      stderr: this.#stderr.slice(0, -mark.length),
    };
  }
}

let host: CommandHost | undefined;

/** Runs a command after all those that were asked for before. The process ends with that of the tests. */
export async function runHosted(command: HostedCommand): Promise<HostedEnd> {
  if (host?.isAlive !== true) host = new CommandHost();
  return await host.run(command);
}
