import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { Bench, BUILTIN, words, type RunningCli } from "../../support/cli.js";
import { TestRedis } from "../../support/redis-server.js";

/** A Redis with an append-only file, a worker with one lane, and a runner of spooled runs. */
export class SoakFleet {
  readonly server: TestRedis;
  readonly redis: Redis;
  readonly processes: Bench;
  readonly worker: RunningCli;
  readonly runner: RunningCli;

  private constructor(server: TestRedis, processes: Bench, worker: RunningCli, runner: RunningCli) {
    this.server = server;
    this.redis = server.client();
    this.processes = processes;
    this.worker = worker;
    this.runner = runner;
  }

  static async open(): Promise<SoakFleet> {
    const server = await TestRedis.start();
    const processes = await Bench.open({ REDIS_URL: server.url });
    const worker = await processes.worker(words(`--model ${BUILTIN} --lanes 1 --log-level info`));
    const runner = processes.start(words("runner --spool spool"));
    await runner.says('"msg":"ready"');
    return new SoakFleet(server, processes, worker, runner);
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms);
  }

  async close(): Promise<void> {
    await this.processes.close();
    await this.server.close();
  }
}
