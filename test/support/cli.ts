/** The command line as a user runs it: the compiled program in a process of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runHosted } from "./command-host.js";
import { dist } from "./dist.js";
import { CACHE_VARIABLE } from "./global-setup.js";
import { look, marked, type SeenProcess } from "./processes.js";
import { until } from "./until.js";

export const MAIN = join(dist, "producers/cli/main.js");
const MARK = "RANKMILL_TEST_MARK";

export const SAMPLE = fileURLToPath(
  new URL("../../producers/examples/sample.jsonl", import.meta.url),
);
/** The model that needs no download. */
export const BUILTIN = "builtin-bm25";
/** A small transformer with random weights, beside which its true scores lie. */
export const BERT = fileURLToPath(new URL("../fixtures/models/bert", import.meta.url));

/** `words("--top-n 2")`: arguments that hold no spaces, as one types them. */
export function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

/**
 * The same arguments with one lane, unless they say how many: a second one takes half a second of a core to
 * start, and has nothing to do in most tests.
 */
export function withOneLane(args: readonly string[]): string[] {
  return args.includes("--lanes") ? [...args] : [...args, "--lanes", "1"];
}

/** The arguments of `rankmill run`, with one lane unless `more` says otherwise. */
export function rerank(input: string, output: string, more = "", model = BUILTIN): string[] {
  const args = ["run", "--input", input, "--output", output, "--model", model];
  return [...args, ...withOneLane(words(more))];
}

export interface CliExit {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A text for its standard input, which then ends; absent: it has none. */
  readonly input?: string | Buffer;
  /** Runs it on a terminal of its own; what it writes on either stream is its standard output. */
  readonly terminal?: boolean;
}

/** Ctrl-C, as a terminal sends it. */
export const CTRL_C = "\u0003";

/** The command line of util-linux' `script`, which gives a command a terminal. */
function onTerminal(command: readonly string[]): string[] {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  return ["script", "--quiet", "--return", "--flush", "--command", quoted.join(" "), "/dev/null"];
}

/** Variables that take back the cache that commands share. */
export const FRESH_CACHE = { RANKMILL_PREPARED_DIR: "", RANKMILL_CALIBRATION_DIR: "" } as const;

/** Preparing and measuring the same model for each command would take most of the tests' time. */
function sharedCache(): Record<string, string> {
  const folder = process.env[CACHE_VARIABLE];
  if (folder === undefined) return {};
  return {
    RANKMILL_PREPARED_DIR: join(folder, "prepared"),
    RANKMILL_CALIBRATION_DIR: join(folder, "calibration"),
  };
}

/** A command under way. */
export class RunningCli {
  stdout = "";
  stderr = "";
  readonly pid: number;
  readonly exited: Promise<CliExit>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.exited = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Types on its terminal. */
  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Stops it in its tracks; resolves once the kernel says so. */
  async freeze(): Promise<void> {
    this.signal("SIGSTOP");
    await until("the process is frozen", () => look(this.pid)?.state === "T");
  }

  /** Waits for a text on either stream. Fails if the command ends before. */
  async says(text: string | RegExp): Promise<void> {
    await this.until(`it says ${String(text)}`, () => {
      const said = this.stdout + this.stderr;
      return typeof text === "string" ? said.includes(text) : text.test(said);
    });
  }

  /** Waits for a condition that can come true only while the command is at work. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await until(
      what,
      async () => {
        if (await condition()) return true;
        if (!this.running) throw new Error(`the command ended before ${what}\n${this.said}`);
        return false;
      },
      () => this.said,
    );
  }

  get said(): string {
    return `--- standard output\n${this.stdout.slice(-4_000)}\n--- standard error\n${this.stderr.slice(-4_000)}`;
  }
}

/**
 * The processes and files of one test. Whatever a test starts through it, and whatever that starts in
 * turn, carries a mark in its environment; `close` fails if anything marked is left.
 */
export class Bench {
  readonly folder: string;
  readonly #mark = randomUUID();
  readonly #env: Readonly<Record<string, string>>;
  readonly #started: RunningCli[] = [];

  private constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#env = env;
  }

  /**
   * @param env for every command, as `REDIS_URL`. `FRESH_CACHE` is for tests of what a host that has
   *   prepared and measured no model does.
   */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<Bench> {
    return new Bench(await realpath(await mkdtemp(join(tmpdir(), "rankmill-test-"))), env);
  }

  /** The environment of its commands, for what a test starts in another way. */
  get env(): Readonly<Record<string, string>> {
    return this.#envOf();
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  start(args: readonly string[], options: CliOptions = {}): RunningCli {
    const command = [process.execPath, MAIN, ...args];
    const [program = "", ...rest] = options.terminal === true ? onTerminal(command) : command;
    const child = spawn(program, rest, {
      cwd: this.folder,
      env: this.#envOf(options.env),
      stdio: [options.input === undefined && !options.terminal ? "ignore" : "pipe", "pipe", "pipe"],
    });
    // A command may end without reading all of it.
    child.stdin?.on("error", () => undefined);
    if (!options.terminal) child.stdin?.end(options.input);
    const running = new RunningCli(child);
    this.#started.push(running);
    return running;
  }

  async run(args: readonly string[], options: CliOptions = {}): Promise<CliExit> {
    return await this.start(args, options).exited;
  }

  /**
   * Runs a command as `run` does, but in a process that has run others: for tests of what a command says and
   * writes, not of its process. It takes a tenth of the time.
   */
  async ask(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliExit> {
    const end = await runHosted({ args, env: this.#envOf(env), cwd: this.folder });
    return { ...end, signal: null };
  }

  /** A worker that says it is ready. Its logs, on its standard output, begin at debug by default. */
  async worker(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
    const level = args.includes("--log-level") ? [] : ["--log-level", "debug"];
    const worker = this.start(["worker", ...level, ...args], options);
    await worker.says(`"msg":"ready"`);
    return worker;
  }

  #envOf(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.folder,
      [MARK]: this.#mark,
      ...sharedCache(),
      ...this.#env,
      ...more,
    };
  }

  /** Everything alive that this bench has started, directly or not. */
  alive(): SeenProcess[] {
    return marked(MARK, this.#mark);
  }

  /** Waits for the end of all that is alive. @throws if something stays */
  async untilNothingIsLeft(): Promise<void> {
    await until(
      "no process of the test is left",
      () => this.alive().length === 0,
      () => JSON.stringify(this.alive(), null, 2),
    );
  }

  async close(): Promise<void> {
    for (const cli of this.#started) {
      if (!cli.running) continue;
      cli.signal("SIGCONT");
      cli.signal("SIGKILL");
      await cli.exited;
    }
    try {
      await this.untilNothingIsLeft();
    } finally {
      for (const { pid } of this.alive()) process.kill(pid, "SIGKILL");
      await rm(this.folder, { recursive: true, force: true });
    }
  }
}
