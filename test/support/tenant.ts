/** A user of the gateway with a key of their own. */
import { z } from "zod";
import { words } from "./cli.js";
import type { Fleet } from "./fleet.js";
import type { TestGateway } from "./gateway.js";

const added = z.object({ id: z.string(), token: z.string() });

export interface Tenant {
  readonly keyId: string;
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

/** @param line options of `keys add`, as one types them */
export async function addTenant(fleet: Fleet, gateway: TestGateway, line = ""): Promise<Tenant> {
  const { stdout } = await fleet.run(["keys", "add", "a tenant", "--json", ...words(line)]);
  const { id, token } = added.parse(JSON.parse(stdout));
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
