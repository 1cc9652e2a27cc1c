/** A user of the gateway with a key of their own. */
import { makeKey, type KeyWishes } from "../../src/app/keys/new-key.js";
import type { Scope } from "../../src/core/caller.js";
import { RedisKeyStore } from "../../src/redis/redis-key-store.js";
import type { Fleet } from "./fleet.js";
import type { TestGateway } from "./gateway.js";

const USUAL_SCOPES: readonly Scope[] = ["rerank", "runs", "read"];

export interface Tenant {
  readonly keyId: string;
  readonly token: string;
  readonly authorization: string;
  /** Sends a request with the key; a body that is no text goes as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Headers): Promise<Response>;
  /** The same, for its JSON. @throws if the status is another than `status` */
  json(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    headers?: Headers,
  ): Promise<Json>;
}

type Headers = Readonly<Record<string, string>>;

/** The JSON of an answer; tests read what they expect. */
export type Json = Readonly<Record<string, unknown>>;

/** Adds a key as `keys add` does, without a process of its own. */
export async function addTenant(
  { redis }: Pick<Fleet, "redis">,
  gateway: TestGateway,
  wishes: Partial<Pick<KeyWishes, "scopes" | "limits">> = {},
): Promise<Tenant> {
  const all = { name: "a tenant", scopes: USUAL_SCOPES, limits: {}, expiresInDays: undefined };
  const { key, token } = makeKey({ ...all, ...wishes }, Date.now());
  const { id } = key;
  await new RedisKeyStore(redis).add(key);
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Headers = {},
  ): Promise<Response> => {
    const isRaw = body === undefined || typeof body === "string" || body instanceof FormData;
    return await fetch(gateway.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(isRaw ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
    });
  };
  return {
    keyId: id,
    token,
    authorization: `Bearer ${token}`,
    ask,
    json: async (status, ...rest) => {
      const response = await ask(...rest);
      const text = await response.text();
      if (response.status !== status) {
        throw new Error(
          `${rest.slice(0, 2).join(" ")}: ${response.status} ${text.slice(0, 2_000)}`,
        );
      }
      return text === "" ? {} : (JSON.parse(text) as Json);
    },
  };
}
