import type { RedisOptions } from "ioredis";
import { redactClusterUrl } from "./cluster-address.js";
import { parseHosts, parseLogin, refusedUrl, type RedisTls } from "./redis-url.js";

/** The address of Redis: a URL of a server, its sentinels or a cluster; or a private server's address. */
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

/** The user in a URL, percent-decoded; undefined if it names none. */
export function userOf(url: string): string | undefined {
  const login = /^[a-z+]+:\/\/(?<login>[^@/]*)@/.exec(url)?.groups?.["login"];
  return parseLogin(login).username;
}

/** The target as it may be shown and logged: without its password. */
export function redactTarget(target: RedisTarget): string {
  if ("path" in target) return `unix:${target.path}`;
  if ("host" in target) return `redis://${target.host}:${target.port}`;
  const cluster = redactClusterUrl(target.url);
  if (cluster !== undefined) return cluster;
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

/** @throws RankmillError `invalid_option` if certificates were given for a connection without TLS */
export function checkTls(url: string, tls: RedisTls | undefined): void {
  if (tls === undefined || /^rediss(?:\+(?:sentinel|cluster))?:/.test(url)) return;
  throw refusedUrl("does not start with rediss://, and a certificate was given");
}

/**
 * @returns ioredis' options for a target that is no cluster, and the URL if ioredis reads the address
 *   from one
 */
export function addressOf(target: RedisTarget): {
  readonly url?: string;
  readonly options: RedisOptions;
} {
  if (!("url" in target)) return { options: { ...target } };
  const { url, tls } = target;
  checkTls(url, tls);
  const secure = tls === undefined ? {} : { tls: { ...tls } };
  if (/^rediss?\+sentinel:/.test(url)) {
    return { options: { ...sentinelOptions(url, tls), ...secure } };
  }
  return { url: checkUrl(url), options: secure };
}

function sentinelOptions(url: string, tls: RedisTls | undefined): RedisOptions {
  const groups = SENTINELS.exec(url)?.groups;
  if (groups === undefined) throw refusedUrl("does not name sentinels and a primary");
  const { login, hosts = "", name = "", db, query } = groups;
  const sentinelPassword = new URLSearchParams(query).get("sentinelPassword");
  const secure = url.startsWith("rediss");
  return {
    sentinels: parseHosts(hosts, SENTINEL_PORT, "sentinel"),
    name: decodeURIComponent(name),
    ...parseLogin(login),
    ...(db !== undefined && { db: Number(db) }),
    ...(sentinelPassword !== null && { sentinelPassword }),
    ...(secure && {
      tls: { ...tls },
      sentinelTLS: { ...tls },
      enableTLSForSentinelMode: true,
    }),
  };
}

/** Never shows the URL itself, which may hold a password. */
function checkUrl(url: string): string {
  if (!/^(rediss?|unix):\/\//.test(url)) {
    throw refusedUrl(
      "does not start with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://",
    );
  }
  if (!URL.canParse(url)) {
    throw refusedUrl('is not a URL: in a password, "/", "@", "#" and "%" must be percent-encoded');
  }
  const { protocol, pathname } = new URL(url);
  if (protocol === "unix:") return url.slice("unix://".length);
  if (!/^\/?\d*$/.test(pathname)) throw refusedUrl("names a database that is not a number");
  return url;
}
