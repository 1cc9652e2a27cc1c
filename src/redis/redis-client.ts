import { Cluster, type Redis, type RedisOptions } from "ioredis";

/** A connection to one server, or to all masters of a cluster: whoever uses it need not know which. */
export type RedisClient = Redis | Cluster;

export function isCluster(redis: RedisClient): redis is Cluster {
  return redis instanceof Cluster;
}

/** Another connection to the same Redis. */
export function duplicateClient(redis: RedisClient): RedisClient {
  return isCluster(redis) ? redis.duplicate() : redis.duplicate();
}

/** Of a connection on which nobody waits: a command that is not answered at once fails. */
const IMPATIENT = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
} satisfies RedisOptions;

/** Another connection to the same Redis, not yet made, that neither queues nor tries again. */
export function impatientClient(redis: RedisClient, commandTimeout: number): RedisClient {
  if (!isCluster(redis)) {
    return redis.duplicate({ ...IMPATIENT, lazyConnect: true, commandTimeout });
  }
  return redis.duplicate([], {
    lazyConnect: true,
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    redisOptions: { ...redis.options.redisOptions, ...IMPATIENT, commandTimeout },
  });
}
