import { Redis } from "ioredis";
import { Bench as Processes, type RunningCli } from "../../support/cli.js";
import { gatewayOf, type TestGateway } from "../../support/gateway.js";
import { startRedis, urlOf } from "../support/redis.js";
import { residentBytes } from "../support/resident.js";
import { words } from "../../support/cli.js";

/** A gateway and one worker on a Redis of their own. */
export interface OpenGateway {
  readonly processes: Processes;
  readonly worker: RunningCli;
  readonly gateway: TestGateway;
  readonly redis: Redis;
  close(): Promise<void>;
}

/** @param serve more arguments of `serve`, as one types them */
export async function openGateway(model: string, serve: string): Promise<OpenGateway> {
  const server = await startRedis("redis-server");
  const processes = await Processes.open({ REDIS_URL: urlOf(server) });
  const redis = new Redis(server.connection.path);
  const close = async (): Promise<void> => {
    redis.disconnect();
    await processes.close();
    await server.stop();
  };
  try {
    const worker = await processes.worker(["--model", model]);
    const gateway = await gatewayOf(processes.start(["serve", "--port", "0", ...words(serve)]));
    return { processes, worker, gateway, redis, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Megabytes that gateway, worker and Redis hold. */
export async function memoryOf({ gateway, worker, redis }: OpenGateway): Promise<string[]> {
  const used = /^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1];
  const bytes = [residentBytes(gateway.running.pid), residentBytes(worker.pid), Number(used)];
  return bytes.map((count) => (count / 1e6).toFixed(0));
}
