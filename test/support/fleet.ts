/**
 * A Redis, the commands that share it and a gate before their lanes: the set-up of most integration
 * tests. A process or a connection that a test leaves behind fails it.
 */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import {
  Bench,
  BUILTIN,
  withOneLane,
  words,
  type CliExit,
  type CliOptions,
  type RunningCli,
} from "./cli.js";
import { Gate } from "./gate.js";
import { TestRedis, type TestRedisOptions } from "./redis-server.js";

export interface FleetOptions extends TestRedisOptions {
  /**
   * The parts that all tests of the file or the `describe` share. Default: `redis`, which is emptied
   * after each test. `nothing` is for tests that kill it.
   */
  readonly shared?: "nothing" | "redis" | "everything";
  /** Variables of every command beside `REDIS_URL`. */
  readonly env?: () => Readonly<Record<string, string>>;
}

/** The fleet of the test that runs; what it holds changes from test to test. */
export interface Fleet {
  readonly server: TestRedis;
  /** A connection of the test's own. */
  readonly redis: Redis;
  readonly bench: Bench;
  /** Before the lanes of every command; open unless the test holds it. */
  readonly gate: Gate;
  run(args: readonly string[], options?: CliOptions): Promise<CliExit>;
  /** See `Bench.ask`. */
  ask(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CliExit>;
  /** A worker of the builtin model that is ready; it has one lane. @param line more arguments, as one types them */
  worker(line?: string, options?: CliOptions): Promise<RunningCli>;
  /**
   * Submits a file to the builtin model. @returns the run's id
   * @throws Error with what the command said, if it fails
   */
  submit(input: string, line?: string): Promise<string>;
}

/** Starts and ends the fleet of each test. Call it at the top of a file or a `describe`. */
export function useFleet(options: FleetOptions = {}): Fleet {
  const { shared = "redis" } = options;
  let server: TestRedis | undefined;
  let redis: Redis | undefined;
  let bench: Bench | undefined;
  let gate: Gate | undefined;

  const startRedis = async (): Promise<void> => {
    server = await TestRedis.start(options);
    redis = server.client();
  };
  const endRedis = async (): Promise<void> => {
    await server?.close();
    [server, redis] = [undefined, undefined];
  };
  const openBench = async (): Promise<void> => {
    gate = await Gate.open();
    const { url } = present(server, "Redis");
    bench = await Bench.open({ REDIS_URL: url, ...gate.env, ...options.env?.() });
  };
  const closeBench = async (): Promise<void> => {
    try {
      await bench?.close();
    } finally {
      await gate?.close();
      [bench, gate] = [undefined, undefined];
    }
  };

  const [beforeRedis, afterRedis] = hooksOf(shared !== "nothing");
  const [beforeBench, afterBench] = hooksOf(shared === "everything");
  beforeRedis(startRedis);
  beforeBench(openBench);
  // Vitest runs these in reverse: the commands end before their Redis does.
  afterRedis(endRedis);
  afterBench(async () => {
    try {
      await closeBench();
    } finally {
      if (shared === "redis") await redis?.flushall();
    }
  });

  return {
    get server() {
      return present(server, "Redis");
    },
    get redis() {
      return present(redis, "connection");
    },
    get bench() {
      return present(bench, "bench");
    },
    get gate() {
      return present(gate, "gate");
    },
    run(args, more) {
      return this.bench.run(args, more);
    },
    ask(args, env) {
      return this.bench.ask(args, env);
    },
    worker(line = "", more = {}) {
      return this.bench.worker(["--model", BUILTIN, ...withOneLane(words(line))], more);
    },
    async submit(input, line = "") {
      const args = ["submit", "--model", BUILTIN, "--input", input, ...words(line)];
      const { code, stdout, stderr } = await this.bench.ask(args);
      if (code !== 0) throw new Error(`submit ended with ${String(code)}\n${stderr}`);
      return stdout.trim().split("\n").at(-1) ?? "";
    },
  };
}

function hooksOf(all: boolean): readonly [typeof beforeEach, typeof afterEach] {
  return all ? [beforeAll, afterAll] : [beforeEach, afterEach];
}

function present<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new Error(`the fleet has no ${name} outside of a test`);
  return part;
}
