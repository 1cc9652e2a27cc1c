import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import { KeyDirectory } from "../../src/app/keys/key-directory.js";
import { openKeyStore } from "../../src/app/keys/registry.js";
import { CallerLimitKeeper } from "../../src/app/tenants/caller-limits.js";
import { isLoopback } from "../dashboard/access.js";
import type { Authenticate } from "../gateway/authentication.js";
import { authenticateKeys } from "../gateway/key-authentication.js";
import { openUntilKeyed } from "../gateway/open-until-keyed.js";
import { env } from "./terminal.js";

/** The place of the keys, and who could come without one. */
export interface AccessOptions {
  /** As `--keys`. */
  readonly keys: string;
  readonly host: string;
}

/**
 * Decides who may come to a gateway: those with a key, or, if there is none, the users of this host.
 *
 * @throws RankmillError `invalid_option` if others than this host's users could come without a key
 */
export async function openAccess(
  { keys, host }: AccessOptions,
  redis: Redis,
  logger: Logger,
): Promise<Authenticate> {
  const store = await openKeyStore(keys, () => Promise.resolve(redis));
  const directory = new KeyDirectory(store, env["RANKMILL_API_KEY"]);
  const keyed = authenticateKeys(directory, new CallerLimitKeeper(redis), logger);
  if (await directory.hasKeys()) return keyed;
  if (!isLoopback(host)) {
    const message = wording`${option("host")}: ${host} can be reached by others, and there is no API key: add one with "rankmill keys add", or set RANKMILL_API_KEY`;
    throw new RankmillError("invalid_option", message, { field: "host" });
  }
  logger.warn("no API keys yet: every user of this host may do everything");
  return openUntilKeyed(directory, keyed);
}
