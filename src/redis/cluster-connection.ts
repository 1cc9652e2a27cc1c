import { Cluster, Redis, type RedisOptions } from "ioredis";
import { describeError } from "../core/errors.js";
import type { ClusterAddress } from "./cluster-address.js";
import { infoFields } from "./redis-info.js";
import { serversOf } from "./redis-servers.js";

/** The interval at which the layout is read anew: of a host that vanished, connections never say so. */
const LAYOUT_INTERVAL_MS = 10_000;
const LAYOUT_TIMEOUT_MS = 10_000;
/** The pause before a command is sent again that a node did not take. */
const RESEND_MS = 100;
/** While slots change hands, two nodes may name each other. */
const MOVED_MS = 20;

/** A cluster whose connection is about to be made, and its steps. */
export interface OpeningCluster {
  readonly client: Cluster;
  /** Resolves once every master answers. @throws the first that is wrong, by name */
  readonly connect: () => Promise<void>;
  /** From now on it waits for nodes that are away, for as long as it takes. */
  readonly settle: (reconnectDelayMs: (times: number) => number) => void;
}

/** @param common options of the connection to each node */
export function openCluster(address: ClusterAddress, common: RedisOptions): OpeningCluster {
  const options = { ...common, ...address.options };
  const client = new Cluster(address.nodes, {
    lazyConnect: true,
    redisOptions: options,
    // Certificates name hosts, not addresses.
    dnsLookup: (host, found) => found(null, host),
    slotsRefreshInterval: LAYOUT_INTERVAL_MS,
    slotsRefreshTimeout: LAYOUT_TIMEOUT_MS,
    // What is refused says so better than a state that is not ready.
    enableReadyCheck: false,
    retryDelayOnMoved: MOVED_MS,
    // During the first connection only: a wrong address must be an error, not a wait.
    clusterRetryStrategy: () => null,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
  });
  const nodeErrors = new Map<string, Error>();
  const remember = (error: Error, node: string): unknown => nodeErrors.set(node, error);
  client.on("node error", remember);
  return {
    client,
    connect: async () => {
      await checkLayout(address, options);
      await client.connect();
      await checkMasters(client, nodeErrors);
    },
    settle: (reconnectDelayMs) => {
      client.off("node error", remember);
      client.options.clusterRetryStrategy = reconnectDelayMs;
      client.options.retryDelayOnFailover = RESEND_MS;
      client.options.retryDelayOnClusterDown = RESEND_MS;
      // A command waits for the end of an outage.
      client.options.maxRedirections = Infinity;
    },
  };
}

/**
 * Asks the nodes that the address names, over connections that tell what is wrong with them: ioredis
 * says of a cluster only that none could be had.
 */
async function checkLayout({ nodes }: ClusterAddress, options: RedisOptions): Promise<void> {
  const asked = nodes.map((node) => askLayout({ ...options, ...node }));
  // One that answers is enough.
  await Promise.any(asked).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}

async function askLayout(options: RedisOptions): Promise<void> {
  const node = new Redis({ ...options, lazyConnect: true, retryStrategy: () => null });
  let last: Error | undefined;
  node.on("error", (error) => {
    last = error;
  });
  try {
    await node.connect();
    // Refused by a server that is in no cluster, and for a user who may not ask.
    await node.cluster("SLOTS");
    const state = infoFields(await node.cluster("INFO")).get("cluster_state");
    if (state === "fail") throw new Error("CLUSTERDOWN The cluster is down");
  } catch (error) {
    throw last ?? error;
  } finally {
    node.disconnect();
  }
}

/** A cluster may name addresses that mean nothing where we are. */
async function checkMasters(client: Cluster, errors: ReadonlyMap<string, Error>): Promise<void> {
  await Promise.all(
    serversOf(client).map(async ({ address = "", redis }) => {
      try {
        // BullMQ asks on every connection, and would ask without end.
        await redis.info("server");
      } catch (cause) {
        const { message } = describeError(errors.get(address) ?? cause);
        throw new Error(`${message} (the cluster's master ${address})`, { cause });
      }
    }),
  );
}
