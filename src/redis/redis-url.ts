import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";

const EXPECTED =
  "redis://[user:password@]host:port[/db], rediss://…, unix:///path, redis+sentinel://host:port,…/name or redis+cluster://host:port,…";

/** PEM texts for a connection with TLS. */
export interface RedisTls {
  /** The authority that signed the server's certificate. @defaultValue those that Node trusts */
  readonly ca?: string;
  /** Our own certificate, for a server that asks for one. */
  readonly cert?: string;
  /** The private key of `cert`. */
  readonly key?: string;
}

/** @param why never with the URL itself, which may hold a password */
export function refusedUrl(why: string): RankmillError {
  return new RankmillError(
    "invalid_option",
    wording`${option("redisUrl")} (or REDIS_URL) ${why}; expected ${EXPECTED}`,
    { field: "redisUrl" },
  );
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * The addresses in a list: `host`, `host:port` or `[IPv6]:port`, with commas between them.
 *
 * @param what name of each, for people
 */
export function parseHosts(list: string, defaultPort: number, what: string): HostPort[] {
  return list.split(",").map((address) => {
    const {
      six,
      host = six,
      port,
    } = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+))(?::(?<port>\d+))?$/.exec(address)?.groups ?? {};
    if (host === undefined) throw refusedUrl(`names a ${what} that is no host:port`);
    return { host, port: port === undefined ? defaultPort : Number(port) };
  });
}

/** @param login `user:password`, percent-encoded; undefined if the URL has none */
export function parseLogin(login: string | undefined): { username?: string; password?: string } {
  const [username = "", password] = (login ?? "").split(":").map(decodeURIComponent);
  return {
    ...(username !== "" && { username }),
    ...(password !== undefined && { password }),
  };
}
