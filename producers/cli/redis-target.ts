import { readFile } from "node:fs/promises";
import { describeError, RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import type { RedisTarget } from "../../src/redis/redis-address.js";
import type { RedisTls } from "../../src/redis/redis-url.js";

/** The options that say where Redis is. */
export interface RedisValues {
  readonly redisUrl: string | undefined;
  readonly redisCa: string | undefined;
  readonly redisCert: string | undefined;
  readonly redisKey: string | undefined;
}

/**
 * The certificates that the options name; undefined if they name none.
 *
 * @throws RankmillError `invalid_option` if a file cannot be read, or one of a pair is missing
 */
export async function readTls(values: RedisValues): Promise<RedisTls | undefined> {
  if ((values.redisCert === undefined) !== (values.redisKey === undefined)) {
    const message = wording`${option("redisCert")} and ${option("redisKey")} are needed together`;
    throw new RankmillError("invalid_option", message, { field: "redisCert" });
  }
  const [ca, cert, key] = [
    await readPem("redisCa", values.redisCa),
    await readPem("redisCert", values.redisCert),
    await readPem("redisKey", values.redisKey),
  ];
  if (ca === undefined && cert === undefined) return undefined;
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** The Redis that the options name; undefined if they name none. @throws RankmillError as `readTls` */
export async function redisOf(values: RedisValues): Promise<RedisTarget | undefined> {
  const { redisUrl: url } = values;
  return url === undefined ? undefined : { url, tls: await readTls(values) };
}

/** @throws RankmillError `invalid_option` for a file that cannot be read, or is not PEM */
export async function readPem(
  field: string,
  path: string | undefined,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    const message = wording`${option(field)} ${path} cannot be read: ${describeError(error).message}`;
    throw new RankmillError("invalid_option", message, { field, cause: error });
  });
  if (text.includes("-----BEGIN ")) return text;
  const message = wording`${option(field)} ${path} is not PEM: it has no line that starts with -----BEGIN`;
  throw new RankmillError("invalid_option", message, { field });
}
