import type { RedisOptions } from "ioredis";
import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";

/** PEM texts for a connection with TLS. */
export interface RedisTls {
  /** The authority that signed the server's certificate. @defaultValue those that Node trusts */
  readonly ca?: string;
  /** Our own certificate, for a server that asks for one. */
  readonly cert?: string;
  /** The private key of `cert`. */
  readonly key?: string;
}

/** The address of Redis: a URL of a server or of its sentinels, or a private server's address. */
export type RedisTarget =
  | { readonly url: string; readonly tls?: RedisTls | undefined }
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

/**
 * `redis+sentinel://[user:password@]host:port[,host:port…]/NAME[/database]`: the primary that the
 * sentinels call NAME. User and password are the primary's; `?sentinelPassword=` is the sentinels'.
 */
const SENTINELS =
  /^rediss?\+sentinel:\/\/(?:(?<login>[^@/]*)@)?(?<hosts>[^/@]+)\/(?<name>[^/?]+)(?:\/(?<db>\d+))?(?:\?(?<query>.*))?$/;
const SENTINEL_PORT = 26_379;
const EXPECTED =
  "redis://[user:password@]host:port[/db], rediss://…, unix:///path or redis+sentinel://host:port,…/name";

/** The target as it may be shown and logged: without its password. */
export function redactTarget(target: RedisTarget): string {
  if ("path" in target) return `unix:${target.path}`;
  if ("host" in target) return `redis://${target.host}:${target.port}`;
  const sentinels = SENTINELS.exec(target.url)?.groups;
  if (sentinels !== undefined) {
    const scheme = target.url.slice(0, target.url.indexOf(":"));
    return `${scheme}://${sentinels["hosts"]}/${sentinels["name"]}`;
  }
  try {
    const url = new URL(target.url);
    if (url.password !== "") url.password = "***";
    if (url.searchParams.has("password")) url.searchParams.set("password", "***");
    return url.href;
  } catch {
    return "the given Redis URL";
  }
}

/** @returns ioredis' options for the target, and the URL if ioredis reads the address from one */
export function addressOf(target: RedisTarget): {
  readonly url?: string;
  readonly options: RedisOptions;
} {
  if (!("url" in target)) return { options: { ...target } };
  const { url, tls } = target;
  if (tls !== undefined && !/^rediss(?:\+sentinel)?:/.test(url)) {
    throw refused("does not start with rediss://, and a certificate was given");
  }
  const secure = tls === undefined ? {} : { tls: { ...tls } };
  if (/^rediss?\+sentinel:/.test(url))
    return { options: { ...sentinelOptions(url, tls), ...secure } };
  return { url: checkUrl(url), options: secure };
}

function sentinelOptions(url: string, tls: RedisTls | undefined): RedisOptions {
  const groups = SENTINELS.exec(url)?.groups;
  if (groups === undefined) throw refused("does not name sentinels and a primary");
  const { login, hosts = "", name = "", db, query } = groups;
  const [username = "", password] = (login ?? "").split(":").map(decodeURIComponent);
  const sentinelPassword = new URLSearchParams(query).get("sentinelPassword");
  const secure = url.startsWith("rediss");
  return {
    sentinels: hosts.split(",").map(sentinelAt),
    name: decodeURIComponent(name),
    ...(username !== "" && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { db: Number(db) }),
    ...(sentinelPassword !== null && { sentinelPassword }),
    ...(secure && {
      tls: { ...tls },
      sentinelTLS: { ...tls },
      enableTLSForSentinelMode: true,
    }),
  };
}

/** @param address `host`, `host:port` or `[IPv6]:port` */
function sentinelAt(address: string): { host: string; port: number } {
  const {
    six,
    host = six,
    port,
  } = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d+))?$/.exec(address)?.groups ?? {};
  if (host === undefined) throw refused("names a sentinel that is no host:port");
  return { host, port: port === undefined ? SENTINEL_PORT : Number(port) };
}

function refused(why: string): RankmillError {
  return new RankmillError(
    "invalid_option",
    wording`${option("redisUrl")} (or REDIS_URL) ${why}; expected ${EXPECTED}`,
    { field: "redisUrl" },
  );
}

/** Never shows the URL itself, which may hold a password. */
function checkUrl(url: string): string {
  if (!/^(rediss?|unix):\/\//.test(url)) {
    throw refused("does not start with redis://, rediss://, unix:// or redis+sentinel://");
  }
  if (!URL.canParse(url)) {
    throw refused('is not a URL: in a password, "/", "@", "#" and "%" must be percent-encoded');
  }
  const { protocol, pathname } = new URL(url);
  if (protocol === "unix:") return url.slice("unix://".length);
  if (!/^\/?\d*$/.test(pathname)) throw refused("names a database that is not a number");
  return url;
}
