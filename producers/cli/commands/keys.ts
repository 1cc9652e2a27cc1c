import type { Command } from "commander";
import { isExpired, type AccessKey } from "../../../src/core/access-key.js";
import { RankmillError } from "../../../src/core/errors.js";
import type { KeyStore } from "../../../src/core/ports/key-store.js";
import { makeKey, parseScopes } from "../../../src/app/keys/new-key.js";
import { openKeyStore } from "../../../src/app/keys/registry.js";
import { Closers } from "../../../src/platform/closers.js";
import { createLogger, requireRedis } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { KEYS, NEW_KEY } from "../options/keys.js";
import { MESSAGES } from "../options/messages.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { printable } from "../printable.js";
import { print, say } from "../terminal.js";

type ShownKey = Omit<AccessKey, "hash" | "expiresAt"> & {
  readonly expiresAt: string | null;
  readonly expired: boolean;
};

const GROUPS = { keys: KEYS, redis: REDIS_ADDRESS, messages: MESSAGES };
const ADD_GROUPS = { newKey: NEW_KEY, ...GROUPS };

export function defineKeys(keys: Command): void {
  const add = keys
    .command("add")
    .argument("<name>", "a name for people: who uses the key")
    .description("make a key and print its token, once")
    .action(async (name: string, parsed: Record<string, unknown>) => {
      process.exitCode = await addKey(name, parsed);
    });
  addOptions(add, ADD_GROUPS, [
    "scopes",
    "expiresInDays",
    "requestsPerMinute",
    "pairsInFlight",
    "highestPriority",
    "keys",
  ]);
  addHelp(add, {
    examples: [
      "rankmill keys add search-team",
      "rankmill keys add indexer --scopes runs,read --highest-priority bulk",
    ],
    notes: [
      `The token is printed on standard output, once: only its hash is kept. rerank allows ranking and jobs; runs allows runs, files and batches; read allows looking at what the key owns; admin allows all of it, for every key.`,
    ],
  });
  const list = keys
    .command("list")
    .description("list the keys, without their tokens")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await listKeys(parsed);
    });
  addOptions(list, GROUPS);
  const revoke = keys
    .command("revoke")
    .argument("<id>", "the key's id, as `keys list` shows it")
    .description("take a key away; gateways refuse it within seconds")
    .action(async (id: string, parsed: Record<string, unknown>) => {
      process.exitCode = await revokeKey(id, parsed);
    });
  addOptions(revoke, GROUPS);
}

async function addKey(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(ADD_GROUPS, parsed);
  const { expiresInDays, requestsPerMinute, pairsInFlight, highestPriority } = values.newKey;
  const wishes = {
    name,
    scopes: parseScopes(values.newKey.scopes),
    limits: {
      ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
      ...(pairsInFlight === undefined ? {} : { pairsInFlight }),
      highestPriority,
    },
    expiresInDays,
  };
  const { key, token } = makeKey(wishes, Date.now());
  await withKeys(values, (store) => store.add(key));
  if (values.messages.json) print(JSON.stringify({ ...shown(key), token }));
  else {
    print(token);
    say(`key ${key.id} was added: its token stands above, and is not kept anywhere`);
  }
  return EXIT.ok;
}

async function listKeys(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const keys = await withKeys(values, (store) => store.list());
  if (values.messages.json) print(JSON.stringify(keys.map(shown)));
  else if (keys.length === 0) print("no keys");
  else print(keys.map(describe).join("\n"));
  return EXIT.ok;
}

async function revokeKey(id: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const revoked = await withKeys(values, (store) => store.remove(id));
  if (!revoked) {
    const message = `no key "${id}": "rankmill keys list" lists them by their ids`;
    throw new RankmillError("invalid_option", message);
  }
  if (values.messages.json) print(JSON.stringify({ id, revoked: true }));
  else say(`key ${id} is revoked; its jobs and runs go on`);
  return EXIT.ok;
}

async function withKeys<T>(
  values: CommandValues<typeof GROUPS>,
  act: (store: KeyStore) => Promise<T>,
): Promise<T> {
  const closers = new Closers();
  const logger = createLogger(values.messages, "warn", 2);
  try {
    const store = await openKeyStore(values.keys.keys, async () => {
      const redis = await requireRedis(values.redis, logger);
      closers.use("Redis connection", redis, (one) => one.disconnect());
      return redis;
    });
    return await act(store);
  } finally {
    await closers.closeAll();
  }
}

/** A key without its hash, which is nobody's business. */
function shown({ id, name, scopes, limits, createdAt, expiresAt }: AccessKey): ShownKey {
  return {
    id,
    name,
    scopes,
    limits,
    createdAt,
    expiresAt: expiresAt ?? null,
    expired: isExpired({ ...(expiresAt && { expiresAt }) }, Date.now()),
  };
}

function describe(key: AccessKey): string {
  const { requestsPerMinute, pairsInFlight, highestPriority = "interactive" } = key.limits;
  const expires = key.expiresAt === undefined ? "never expires" : `expires ${key.expiresAt}`;
  return printable(
    [
      key.id,
      key.name,
      key.scopes.join(","),
      isExpired(key, Date.now()) ? "expired" : expires,
      ...(requestsPerMinute === undefined ? [] : [`${requestsPerMinute} requests per minute`]),
      ...(pairsInFlight === undefined ? [] : [`${pairsInFlight} pairs in flight`]),
      ...(highestPriority === "interactive" ? [] : [`${highestPriority} at most`]),
    ].join("  "),
  );
}
