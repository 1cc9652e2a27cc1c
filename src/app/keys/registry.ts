/** Every kind of key store. A new one is a file and a line in `KEY_STORES`. */
import type { KeyStore } from "../../core/ports/key-store.js";
import { RedisKeyStore } from "../../redis/redis-key-store.js";
import { FileKeyStore } from "./file-key-store.js";
import type { RedisClient } from "../../redis/redis-client.js";

interface KeyStoreKind {
  /** Whether a place is of this kind. */
  readonly holds: (place: string) => boolean;
  /** @param redis connects to Redis once it is needed */
  readonly open: (place: string, redis: () => Promise<RedisClient>) => Promise<KeyStore>;
}

const file: KeyStoreKind = {
  holds: () => true,
  open: async (place) => await Promise.resolve(new FileKeyStore(place)),
};

/** A place belongs to the first that holds it; a file comes last. */
const KEY_STORES: readonly KeyStoreKind[] = [
  {
    holds: (place) => place === "redis",
    open: async (_, redis) => new RedisKeyStore(await redis()),
  },
  file,
];

/** @param place `redis`, or the path of a JSON file */
export async function openKeyStore(
  place: string,
  redis: () => Promise<RedisClient>,
): Promise<KeyStore> {
  const kind = KEY_STORES.find(({ holds }) => holds(place)) ?? file;
  return await kind.open(place, redis);
}
