import { chmod } from "node:fs/promises";
import { dirname } from "node:path";
import type { PrivateRedis } from "../../../src/redis/private-server/private-redis.js";

/** The places on the host that containers see under the same path. */
export interface Places {
  /** A model's folder. */
  readonly model: string;
  readonly redisSocket: string;
  readonly limitMib: number;
}

/** A private server lets its own user in alone; workers in containers have another. */
export async function openToContainers({ connection }: PrivateRedis): Promise<void> {
  await chmod(dirname(connection.path), 0o755);
  await chmod(connection.path, 0o777);
}

/** Arguments of `docker run`: a hard limit without swap, no network, and what both ways must see. */
export function limitedArgs({ model, redisSocket, limitMib }: Places): string[] {
  const redisFolder = dirname(redisSocket);
  return [
    `--memory=${limitMib}m`,
    `--memory-swap=${limitMib}m`,
    "--network=none",
    `--volume=${model}:${model}:ro`,
    `--volume=${redisFolder}:${redisFolder}`,
  ];
}
