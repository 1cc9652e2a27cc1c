import { mkdirSync } from "node:fs";
import type { Redis } from "ioredis";
import { Bench, BUILTIN, words } from "../../support/cli.js";
import { canMount, mountSmall, unmount } from "../../support/mounts.js";
import { TestRedis } from "../../support/redis-server.js";
import { TestS3 } from "../../support/s3-server.js";
import { TcpProxy } from "../../support/tcp-proxy.js";
import type { Leavings } from "./guard.js";
import { Service } from "./service.js";

const DISK_MEGABYTES = 64;
/** One lane and single pairs: work enough for many faults, with the model that is always there. */
export const MODEL = words(`--model ${BUILTIN}`);
export const SLOW = words("--lanes 1 --concurrency 8 --max-batch-size 1 --no-calibrate");

export interface Disk {
  readonly folder: string;
  /** Whether it is a small file system of its own, which can be filled. */
  readonly isSmall: boolean;
}

/** Everything that a fault may hit. */
export class Arena {
  readonly server: TestRedis;
  /** The harness' own connection, past the proxy. */
  readonly redis: Redis;
  readonly proxy: TcpProxy;
  readonly s3: TestS3;
  readonly bench: Bench;
  readonly disk: Disk;
  readonly workers: Service[] = [];
  /** Those who feed and collect the present run: runners, or `run` itself. */
  owners: Service[] = [];
  isClosing = false;
  /** Owners of runs that are over. */
  readonly #formerOwners: Service[] = [];

  private constructor(parts: Pick<Arena, "server" | "proxy" | "s3" | "bench" | "disk">) {
    this.server = parts.server;
    this.redis = parts.server.client();
    this.proxy = parts.proxy;
    this.s3 = parts.s3;
    this.bench = parts.bench;
    this.disk = parts.disk;
  }

  /** @param env of every process: that is how a plant gets in */
  static async open(env: Readonly<Record<string, string>>): Promise<Arena> {
    const server = await TestRedis.start({ kind: "redis-server", debug: true });
    const proxy = await TcpProxy.open(Number(new URL(server.url).port));
    const s3 = await TestS3.start();
    const bench = await Bench.open({ REDIS_URL: server.url, ...s3.env, ...env });
    const disk = { folder: bench.path("disk"), isSmall: canMount() };
    mkdirSync(disk.folder);
    if (disk.isSmall) mountSmall(disk.folder, DISK_MEGABYTES);
    return new Arena({ server, proxy, s3, bench, disk });
  }

  /** Variables of a process that reaches Redis through the proxy. */
  get proxied(): Record<string, string> {
    return { REDIS_URL: `redis://127.0.0.1:${this.proxy.port}` };
  }

  /** Two workers, one of them behind the proxy. */
  async startWorkers(): Promise<void> {
    const args = ["worker", ...MODEL, ...SLOW];
    this.workers.push(
      new Service(this.bench, { name: "worker 1", args, env: {} }),
      new Service(this.bench, { name: "worker 2", args, env: this.proxied }),
    );
    for (const worker of this.workers) await worker.says(`"msg":"ready"`);
  }

  /** What would stay behind if nobody closed the arena. */
  get leavings(): Leavings {
    const folders = [this.bench.folder, this.server.folder, this.s3.folder];
    return { folders, mounts: this.disk.isSmall ? [this.disk.folder] : [] };
  }

  /** Every process that was kept alive so far. */
  get services(): readonly Service[] {
    return [...this.workers, ...this.owners, ...this.#formerOwners];
  }

  /** @returns what did not stop in order */
  async stopOwners(): Promise<string[]> {
    const owners = this.owners;
    this.owners = [];
    this.#formerOwners.push(...owners);
    return await stopAll(owners);
  }

  async stopWorkers(): Promise<string[]> {
    return await stopAll(this.workers);
  }

  /** @throws if a process is left, after killing it */
  async close(): Promise<void> {
    this.isClosing = true;
    try {
      await Promise.all([this.stopOwners(), this.stopWorkers()]);
      if (this.disk.isSmall) unmount(this.disk.folder);
      await this.bench.close();
    } finally {
      await this.proxy.close();
      await this.s3.close();
      await this.server.close();
    }
  }
}

async function stopAll(services: readonly Service[]): Promise<string[]> {
  const reasons = await Promise.all(services.map((service) => service.stop()));
  return reasons.filter((reason) => reason !== undefined);
}
