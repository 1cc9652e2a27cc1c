/** Facts about a server from its reply to INFO. */
export interface RedisDescription {
  /** The program, as far as its INFO tells it from Redis; an unknown relative counts as `redis`. */
  readonly server: "redis" | "valkey" | "dragonfly" | "js-redis-server";
  /** The program's own version; for js-redis-server the version of Redis that it plays. */
  readonly version: string;
  /** The version of Redis whose commands it speaks; equal to `version` for Redis itself. */
  readonly redisVersion: string;
  /** Undefined if the server does not say. */
  readonly maxmemoryPolicy: string | undefined;
  /** 0: no limit, or not said. */
  readonly maxmemoryBytes: number;
  readonly aofEnabled: boolean;
  readonly usedMemoryBytes: number;
}

export interface RedisWarning {
  readonly code: "eviction" | "old_version" | "no_append_only_file" | "memory_nearly_full";
  readonly message: string;
}

/** BullMQ refuses to work below this version of Redis. */
export const LEAST_REDIS_VERSION = "5.0.0";
/** Below it BullMQ falls back to slower commands and warns. */
export const ADVISED_REDIS_VERSION = "6.2.0";
/** Beyond this share of `maxmemory`, writes will soon be refused (noeviction). */
const NEARLY_FULL_SHARE = 0.9;

/** @param info the text that INFO (all default sections) returns: `name:value` lines, CRLF or LF */
export function infoFields(info: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of info.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) {
      fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
    }
  }
  return fields;
}

/** @param info the text that INFO returns */
export function describeRedis(info: string): RedisDescription {
  const fields = infoFields(info);
  const redisVersion = fields.get("redis_version") ?? "0.0.0";
  return {
    ...nameOf(fields, redisVersion),
    redisVersion,
    maxmemoryPolicy: fields.get("maxmemory_policy"),
    maxmemoryBytes: toCount(fields.get("maxmemory")),
    aofEnabled: fields.get("aof_enabled") === "1",
    usedMemoryBytes: toCount(fields.get("used_memory")),
  };
}

/** Changes that an operator should make to the server; none if all is well. */
export function redisWarnings(description: RedisDescription): RedisWarning[] {
  const { server, version, redisVersion, maxmemoryPolicy } = description;
  const warnings: RedisWarning[] = [];
  if (maxmemoryPolicy !== undefined && maxmemoryPolicy !== "noeviction") {
    warnings.push({
      code: "eviction",
      message: `maxmemory-policy is ${maxmemoryPolicy}: under memory pressure the server throws jobs away; set noeviction`,
    });
  }
  if (compareVersions(redisVersion, ADVISED_REDIS_VERSION) < 0) {
    warnings.push({
      code: "old_version",
      message: `${server} ${version} is old: ${ADVISED_REDIS_VERSION} or later is advised`,
    });
  }
  // js-redis-server has no such file at all: whoever starts it says so.
  if (!description.aofEnabled && server !== "js-redis-server") {
    warnings.push({
      code: "no_append_only_file",
      message: "the append-only file is off: a restart of the server may lose waiting jobs",
    });
  }
  const { maxmemoryBytes, usedMemoryBytes } = description;
  if (maxmemoryBytes > 0 && usedMemoryBytes > NEARLY_FULL_SHARE * maxmemoryBytes) {
    warnings.push({
      code: "memory_nearly_full",
      message: `${usedMemoryBytes} of ${maxmemoryBytes} bytes are in use: the server is about to refuse writes`,
    });
  }
  return warnings;
}

/** Negative where `a` is the older one. A part that is no number counts as 0. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".");
  const right = b.split(".");
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const difference = toCount(left[part]) - toCount(right[part]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function nameOf(
  fields: ReadonlyMap<string, string>,
  redisVersion: string,
): Pick<RedisDescription, "server" | "version"> {
  const valkey = fields.get("valkey_version");
  if (valkey !== undefined || fields.get("server_name") === "valkey") {
    return { server: "valkey", version: valkey ?? redisVersion };
  }
  const dragonfly = fields.get("dragonfly_version");
  if (dragonfly !== undefined) {
    return { server: "dragonfly", version: dragonfly.replace(/^df-v?/, "") };
  }
  if (fields.get("multiplexing_api") === "mock") {
    return { server: "js-redis-server", version: redisVersion };
  }
  return { server: "redis", version: redisVersion };
}

function toCount(text: string | undefined): number {
  const value = Number.parseInt(text ?? "", 10);
  // More digits than a number holds are infinity, and no count.
  return Number.isSafeInteger(value) ? value : 0;
}
