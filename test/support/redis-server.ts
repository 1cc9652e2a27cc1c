/**
 * A Redis of a test file's own: the real `redis-server` if it is on PATH, else js-redis-server, so
 * that the tests pass on a machine with Node alone. `RANKMILL_TEST_REQUIRE_REDIS=1` makes the absence
 * of the real one a failure; `RANKMILL_TEST_REDIS=js` asks for the other.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { dist } from "./dist.js";
import { until } from "./until.js";

export type RedisKind = "redis-server" | "js-redis-server";

const JS_SERVER = pathToFileURL(join(dist, "src/redis/private-server/private-redis-js.js")).href;

export const realRedisVersion = findRealRedis();
/** The kinds that this machine can run, the better one first. */
export const redisKinds: readonly RedisKind[] =
  realRedisVersion === undefined ? ["js-redis-server"] : ["redis-server", "js-redis-server"];
export const hasRealRedis = realRedisVersion !== undefined;

function findRealRedis(): string | undefined {
  if (process.env["RANKMILL_TEST_REDIS"] !== "js") {
    try {
      const said = execFileSync("redis-server", ["--version"], { encoding: "utf8" });
      return /v=([\d.]+)/.exec(said)?.[1] ?? "of unknown version";
    } catch {
      // Not on PATH.
    }
  }
  if (process.env["RANKMILL_TEST_REQUIRE_REDIS"] === "1") {
    throw new Error("RANKMILL_TEST_REQUIRE_REDIS is set and there is no redis-server on PATH");
  }
  return undefined;
}

export interface TestRedisOptions {
  readonly kind?: RedisKind;
  readonly password?: string;
  /** Lets it be asked to sleep and the like; the real one alone. */
  readonly debug?: boolean;
}

/** A running server; it can be killed and started again on the same port with its data. */
export class TestRedis {
  readonly kind: RedisKind;
  readonly url: string;
  /** Holds its files. */
  readonly folder: string;
  readonly #args: readonly string[];
  readonly #clients: Redis[] = [];
  #process: ChildProcess;

  private constructor(kind: RedisKind, url: string, folder: string, args: readonly string[]) {
    this.kind = kind;
    this.url = url;
    this.folder = folder;
    this.#args = args;
    this.#process = this.#spawn();
  }

  static async start(options: TestRedisOptions = {}): Promise<TestRedis> {
    const kind = options.kind ?? redisKinds[0] ?? "js-redis-server";
    const folder = await realpath(await mkdtemp(join(tmpdir(), "rankmill-test-redis-")));
    if (kind === "js-redis-server") {
      const socket = join(folder, "redis.sock");
      const program = `import { holdJsServer } from ${JSON.stringify(JS_SERVER)}; await holdJsServer(${JSON.stringify(socket)});`;
      const args = ["--input-type=module", "--eval", program];
      const server = new TestRedis(kind, `unix://${socket}`, folder, args);
      await server.#answers();
      announce("js-redis-server, in memory and slower than a real one");
      return server;
    }
    const port = await freePort();
    const { password } = options;
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
    args.push("--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning");
    if (password !== undefined) args.push("--requirepass", password);
    // Older ones allow it, and do not know the option.
    const isRestrained = Number.parseInt(realRedisVersion ?? "", 10) >= 7;
    if (options.debug === true && isRestrained) args.push("--enable-debug-command", "yes");
    const login = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
    const server = new TestRedis(kind, `redis://${login}127.0.0.1:${port}`, folder, args);
    await server.#answers();
    announce(`redis-server ${realRedisVersion ?? ""}`);
    return server;
  }

  /** A connection of the test's own; closed with the server. */
  client(): Redis {
    const target = this.url.startsWith("unix:") ? socketOf(this.url) : this.url;
    const client = new Redis(target, { maxRetriesPerRequest: null });
    client.on("error", () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** Kills it without a word to anyone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, "exit");
    }
  }

  /** Stops it in its tracks: connections stay open and nothing is answered. */
  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process.kill("SIGCONT");
  }

  /** Starts it again where it was, with what its append-only file holds; js-redis-server has none. */
  async startAgain(): Promise<void> {
    // The socket of a killed server is in the way of the next one.
    if (this.url.startsWith("unix:")) await rm(socketOf(this.url), { force: true });
    this.#process = this.#spawn();
    await this.#answers();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn(): ChildProcess {
    const program = this.kind === "redis-server" ? "redis-server" : process.execPath;
    return spawn(program, this.#args, { cwd: this.folder, stdio: "ignore" });
  }

  async #answers(): Promise<void> {
    const client = this.client();
    try {
      await until("the test's Redis answers", async () => {
        if (this.#process.exitCode !== null) throw new Error("the test's Redis did not start");
        return await Promise.race([
          client.ping().then(
            () => true,
            () => false,
          ),
          once(client, "error").then(() => false),
        ]);
      });
    } finally {
      // A test that counts connections must find its own alone.
      client.disconnect();
    }
  }
}

function socketOf(url: string): string {
  return url.slice("unix://".length);
}

const announced = new Set<string>();

/** Once per file, where the runner's output shows it. */
function announce(line: string): void {
  if (announced.has(line)) return;
  announced.add(line);
  process.stderr.write(`tests run on ${line}\n`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
