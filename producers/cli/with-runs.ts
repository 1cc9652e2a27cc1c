import { Runs } from "../../src/app/runs/runs.js";
import { createLogger, requireRedis, requireSpool } from "./context.js";
import type { LogValues } from "./options/messages.js";
import type { RedisValues } from "./redis-target.js";

/** The values of a command's groups that say where submitted runs are. */
interface RunPlaces {
  readonly redis: RedisValues;
  readonly messages: LogValues;
  /** Present if the command takes a spool. */
  readonly run: object;
}

/** Acts on the runs of the Redis, and of the spool if one is named, that the options say. */
export async function withRuns<T>(
  { redis: address, messages, run }: RunPlaces,
  act: (runs: Runs) => Promise<T>,
): Promise<T> {
  const spool = "spool" in run && typeof run.spool === "string" ? run.spool : undefined;
  const redis = await requireRedis(address, createLogger(messages, "warn", 2));
  const runs = new Runs(redis, spool === undefined ? undefined : () => requireSpool(spool));
  try {
    const result = await act(runs);
    await runs.close();
    return result;
  } finally {
    redis.disconnect();
  }
}
