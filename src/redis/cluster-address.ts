import type { RedisOptions } from "ioredis";
import { parseHosts, parseLogin, refusedUrl, type HostPort, type RedisTls } from "./redis-url.js";

/**
 * `redis+cluster://[user:password@]host:port[,host:port…]`: some nodes of a cluster, which name the
 * others. User and password are those of every node.
 */
const CLUSTER =
  /^rediss?\+cluster:\/\/(?:(?<login>[^@/]*)@)?(?<hosts>[^/@?]+)(?<path>\/[^?]*)?(?<query>\?.*)?$/;
const NODE_PORT = 6_379;

export interface ClusterAddress {
  /** Nodes that are asked first for the cluster's layout. */
  readonly nodes: HostPort[];
  /** For the connection to each node. */
  readonly options: Pick<RedisOptions, "username" | "password" | "tls">;
}

export function isClusterUrl(url: string): boolean {
  return /^rediss?\+cluster:/.test(url);
}

/** The address as it may be shown: without user and password; undefined if it is not one of a cluster. */
export function redactClusterUrl(url: string): string | undefined {
  const hosts = CLUSTER.exec(url)?.groups?.["hosts"];
  return hosts === undefined ? undefined : `${url.slice(0, url.indexOf(":"))}://${hosts}`;
}

/** @throws RankmillError `invalid_option` */
export function clusterAddress(url: string, tls: RedisTls | undefined): ClusterAddress {
  const groups = CLUSTER.exec(url)?.groups;
  if (groups === undefined) throw refusedUrl("does not name nodes of a cluster");
  const { login, hosts = "", path = "/", query } = groups;
  if (path !== "/") {
    throw refusedUrl("names a database, and a cluster has database 0 alone: leave it out");
  }
  if (query !== undefined) throw refusedUrl("has a query (?…), which means nothing to a cluster");
  const secure = url.startsWith("rediss");
  return {
    nodes: parseHosts(hosts, NODE_PORT, "node"),
    options: { ...parseLogin(login), ...(secure && { tls: { ...tls } }) },
  };
}
