import type { Logger } from "pino";
import { KeyDirectory } from "../../src/app/keys/key-directory.js";
import { openKeyStore } from "../../src/app/keys/registry.js";
import { CallerLimitKeeper } from "../../src/app/tenants/caller-limits.js";
import { isLoopback } from "../dashboard/access.js";
import type { Authenticate } from "../gateway/authentication.js";
import { authenticateKeys } from "../gateway/key-authentication.js";
import { openUntilKeyed } from "../gateway/open-until-keyed.js";
import { env } from "./terminal.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

/** The place of the keys, and who could come without one. */
export interface AccessOptions {
  /** As `--keys`. */
  readonly keys: string;
  readonly host: string;
}

/**
 * Decides who may come to a gateway: those with a key. As long as there is none, every user of this host may come
 * to a gateway on the loopback, and nobody to another.
 */
export async function openAccess(
  { keys, host }: AccessOptions,
  redis: RedisClient,
  logger: Logger,
): Promise<Authenticate> {
  const store = await openKeyStore(keys, () => Promise.resolve(redis));
  const directory = new KeyDirectory(store, env["RANKMILL_API_KEY"]);
  const keyed = authenticateKeys(directory, new CallerLimitKeeper(redis), logger);
  if (await directory.hasKeys()) return keyed;
  if (!isLoopback(host)) {
    logger.warn("no API keys yet: every request is refused until `rankmill keys add` makes one");
    return keyed;
  }
  logger.warn("no API keys yet: every user of this host may do everything");
  return openUntilKeyed(directory, keyed);
}
