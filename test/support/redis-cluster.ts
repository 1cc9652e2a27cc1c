/** A Redis Cluster of three real masters, and of replicas if a test wants them to take over. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { connectRedis } from "../../src/redis/connection.js";
import type { RedisClient } from "../../src/redis/redis-client.js";
import type { RedisTls } from "../../src/redis/redis-url.js";
import { words } from "./cli.js";
import { freePort, hasRealRedis, redisKinds, TestRedis, type RedisKind } from "./redis-server.js";
import { until } from "./until.js";

const MASTERS = 3;
const SLOTS = 16_384;
/** Far longer than a node of a busy machine is ever silent: none takes over by itself. */
const NODE_TIMEOUT_MS = 60_000;

export type RedisPlace = RedisKind | "a cluster";

/** Everything that keeps jobs: servers alone, the better one first, and a cluster. */
export const redisPlaces: readonly RedisPlace[] = [
  ...redisKinds,
  ...(hasRealRedis ? (["a cluster"] as const) : []),
];

export async function startPlace(kind: RedisPlace): Promise<TestRedis | TestCluster> {
  return kind === "a cluster" ? await TestCluster.start() : await TestRedis.start({ kind });
}

export interface ClusterOptions {
  /** Each master gets one replica. Default: none. */
  readonly replicas?: boolean;
  /** The program of every node. Default: `redis-server`. */
  readonly program?: "redis-server" | "valkey-server";
  /** Of every node. */
  readonly password?: string;
  /** Arguments more of every node, as one types them. */
  readonly settings?: readonly string[];
  /** Options of the connections to nodes, as for TLS. */
  readonly connection?: { readonly tls: RedisTls };
}

/** Keys that move to another master in one go. */
const MOVED_KEYS = 5;

/** A node: a server of its own. */
export class ClusterNode {
  readonly port: number;
  /** Nodes speak to each other there. */
  readonly busPort: number;
  readonly #folder: string;
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #client: Redis;
  #process: ChildProcess;

  constructor(
    [port, busPort]: readonly [number, number],
    folder: string,
    [program = "", ...args]: readonly string[],
    client: Redis,
  ) {
    this.port = port;
    this.busPort = busPort;
    this.#folder = folder;
    this.#program = program;
    this.#args = args;
    this.#client = client;
    this.#process = this.#spawn();
  }

  get redis(): Redis {
    return this.#client;
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, "exit");
    }
  }

  /** Starts it again with its data. */
  async startAgain(): Promise<void> {
    this.#process = this.#spawn();
    await this.redis.ping();
  }

  async close(): Promise<void> {
    this.#client.disconnect();
    await this.kill();
  }

  #spawn(): ChildProcess {
    return spawn(this.#program, this.#args, { cwd: this.#folder, stdio: "ignore" });
  }
}

export class TestCluster {
  /** `redis+cluster://…`, with the password if there is one. */
  readonly url: string;
  readonly masters: readonly ClusterNode[];
  /** The replica of each master, in the same order. */
  readonly replicas: readonly ClusterNode[];
  readonly #folder: string;
  readonly #tls: RedisTls | undefined;
  readonly #clients: RedisClient[] = [];

  private constructor(
    url: string,
    folder: string,
    nodes: readonly ClusterNode[],
    tls: RedisTls | undefined,
  ) {
    this.url = url;
    this.#tls = tls;
    this.#folder = folder;
    this.masters = nodes.slice(0, MASTERS);
    this.replicas = nodes.slice(MASTERS);
  }

  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "rankmill-test-cluster-")));
    const count = options.replicas === true ? 2 * MASTERS : MASTERS;
    const nodes = [];
    for (let i = 0; i < count; i++) nodes.push(await startNode(join(folder, String(i)), options));
    const scheme = options.connection === undefined ? "redis+cluster" : "rediss+cluster";
    const login = options.password === undefined ? "" : `:${encodeURIComponent(options.password)}@`;
    const hosts = nodes.slice(0, MASTERS).map(({ port }) => `127.0.0.1:${port}`);
    const cluster = new TestCluster(
      `${scheme}://${login}${hosts.join(",")}`,
      folder,
      nodes,
      options.connection?.tls,
    );
    await cluster.#join();
    return cluster;
  }

  /** The master that holds `key`, as the cluster was made. */
  async masterOf(key: string): Promise<ClusterNode> {
    const slot = Number(await this.masters[0]?.redis.cluster("KEYSLOT", key));
    const master = this.masters[Math.floor((slot * MASTERS) / SLOTS)];
    if (master === undefined) throw new Error(`no master holds slot ${slot}`);
    return master;
  }

  /** A connection of the test's own, as rankmill makes it; closed with the cluster. */
  async client(): Promise<RedisClient> {
    const client = await connectRedis({ url: this.url, tls: this.#tls }, () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** The keys of each master that are of a run or of a job; what else there is, is of a model. */
  async keysOfRuns(): Promise<string[][]> {
    const keys = await Promise.all(this.masters.map(({ redis }) => redis.keys("*")));
    const ofRun = /\{run:|runs|:(result|fence|payload|accused|owners):|-(bulk|interactive):[rj]/;
    return keys.map((some) => some.filter((key) => ofRun.test(key)));
  }

  /** Makes the replica of a master that is gone take its place, as the others would agree to in time. */
  async takeOver(master: ClusterNode): Promise<void> {
    const replica = this.replicas[this.masters.indexOf(master)];
    await replica?.redis.cluster("FAILOVER", "TAKEOVER");
    const others = this.masters.filter((one) => one !== master);
    await until("the other masters know the new one", async () => {
      const layouts = await Promise.all(others.map(({ redis }) => redis.cluster("SLOTS")));
      return layouts.every((layout) => JSON.stringify(layout).includes(String(replica?.port)));
    });
  }

  /**
   * Moves the slot of `key` to the master after that which holds it, a few keys at a time, as the tools of operators
   * do. Meanwhile some of its keys lie on the one, some on the other.
   *
   * @param halfWay runs when the first keys have moved
   */
  async moveSlot(key: string, halfWay: () => void): Promise<void> {
    const from = await this.masterOf(key);
    const to = this.masters[(this.masters.indexOf(from) + 1) % MASTERS] ?? from;
    const slot = await from.redis.cluster("KEYSLOT", key);
    const [source, target] = await Promise.all(
      [from, to].map(async ({ redis }) => await redis.cluster("MYID")),
    );
    await to.redis.cluster("SETSLOT", slot, "IMPORTING", String(source));
    await from.redis.cluster("SETSLOT", slot, "MIGRATING", String(target));
    for (let moved = 0; ; moved += 1) {
      const keys = await from.redis.cluster("GETKEYSINSLOT", slot, MOVED_KEYS);
      if (keys.length === 0) break;
      await from.redis.call(
        "MIGRATE",
        "127.0.0.1",
        to.port,
        "",
        0,
        10_000,
        "KEYS",
        ...keys.map(String),
      );
      if (moved === 1) halfWay();
    }
    const others = this.masters.filter((one) => one !== from && one !== to);
    for (const { redis } of [to, from, ...others]) {
      await redis.cluster("SETSLOT", slot, "NODE", String(target));
    }
  }

  /** Kills all masters. */
  async kill(): Promise<void> {
    await Promise.all(this.masters.map((master) => master.kill()));
  }

  /** Starts all masters again, with their data. */
  async startAgain(): Promise<void> {
    await Promise.all(this.masters.map((master) => master.startAgain()));
    await this.#untilComplete();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await Promise.all([...this.masters, ...this.replicas].map((node) => node.close()));
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #join(): Promise<void> {
    const [first, ...others] = this.masters;
    if (first === undefined) return;
    for (const [i, { redis }] of this.masters.entries()) {
      const from = Math.ceil((i * SLOTS) / MASTERS);
      const to = Math.ceil(((i + 1) * SLOTS) / MASTERS) - 1;
      await redis.cluster("ADDSLOTSRANGE", from, to);
      // Votes need epochs of their own, which take time to be agreed upon otherwise.
      await redis.cluster("SET-CONFIG-EPOCH", i + 1);
    }
    for (const { redis } of [...others, ...this.replicas]) {
      await redis.call("CLUSTER", "MEET", "127.0.0.1", first.port, first.busPort);
    }
    for (const [i, { redis }] of this.replicas.entries()) {
      const id = await this.masters[i]?.redis.cluster("MYID");
      await until("the replica knows its master", async () => {
        return await redis.cluster("REPLICATE", String(id)).then(
          () => true,
          () => false,
        );
      });
    }
    await this.#untilComplete();
  }

  async #untilComplete(): Promise<void> {
    await until("the cluster is complete", async () => {
      const nodes = [...this.masters, ...this.replicas];
      const states = await Promise.all(nodes.map(({ redis }) => isComplete(redis, nodes.length)));
      return states.every(Boolean);
    });
  }
}

async function isComplete(redis: Redis, nodes: number): Promise<boolean> {
  const info = await redis.cluster("INFO");
  const replication = await redis.info("replication");
  return (
    info.includes("cluster_state:ok") &&
    info.includes(`cluster_known_nodes:${nodes}`) &&
    !replication.includes("master_link_status:down")
  );
}

async function startNode(folder: string, options: ClusterOptions): Promise<ClusterNode> {
  await mkdir(folder);
  const [port, bus] = [await freePort(), await freePort()];
  const { password, settings = [], connection } = options;
  const args = [
    options.program ?? "redis-server",
    connection === undefined ? `--port ${port}` : `--port 0 --tls-port ${port}`,
    "--bind 127.0.0.1 --loglevel warning",
    "--appendonly yes --appendfsync always --repl-diskless-sync-delay 0",
    `--cluster-enabled yes --cluster-port ${bus} --cluster-node-timeout ${NODE_TIMEOUT_MS}`,
    ...settings,
  ].flatMap(words);
  args.push("--save", "");
  if (password !== undefined) args.push("--requirepass", password, "--masterauth", password);
  const client = new Redis({
    ...connection,
    port,
    host: "127.0.0.1",
    maxRetriesPerRequest: null,
    retryStrategy: () => 50,
    ...(password !== undefined && { password }),
  });
  client.on("error", () => undefined);
  const node = new ClusterNode([port, bus], folder, args, client);
  await client.ping();
  return node;
}
