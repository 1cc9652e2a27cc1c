import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { KeyDirectory } from "../../src/app/keys/key-directory.js";
import { FileKeyStore } from "../../src/app/keys/file-key-store.js";
import { RedisKeyStore } from "../../src/redis/redis-key-store.js";
import { useFleet } from "../support/fleet.js";

const added = z.object({ id: z.string(), token: z.string(), scopes: z.array(z.string()) });

describe("rankmill keys", () => {
  const fleet = useFleet();

  it("adds a key to Redis, prints its token once, lists it without, and revokes it", async () => {
    const add = await fleet.run(["keys", "add", "search team", "--json"]);
    const { id, token, scopes } = added.parse(JSON.parse(add.stdout));
    expect(scopes).toEqual(["rerank", "runs", "read"]);
    const store = new RedisKeyStore(fleet.redis);
    expect((await new KeyDirectory(store, undefined).find(token))?.id).toBe(id);
    const list = await fleet.ask(["keys", "list", "--json"]);
    expect(JSON.parse(list.stdout)).toMatchObject([{ id, name: "search team", expired: false }]);
    expect(
      list.stdout + JSON.stringify(await fleet.redis.hgetall("rankmill:access-keys")),
    ).not.toContain(token);
    expect((await fleet.ask(["keys", "revoke", id])).code).toBe(0);
    expect(await new KeyDirectory(store, undefined).find(token)).toBeUndefined();
    const again = await fleet.ask(["keys", "revoke", id]);
    expect(again.code).not.toBe(0);
    expect(again.stderr).toContain(`no key "${id}"`);
  });

  it("keeps keys in a file, without a Redis, and prints the token alone", async () => {
    const path = fleet.bench.path("keys.json");
    const env = { REDIS_URL: "", RANKMILL_KEYS: path };
    const options = "--scopes read --requests-per-minute 5 --highest-priority bulk";
    const { stdout } = await fleet.ask(["keys", "add", "viewer", ...options.split(" ")], env);
    const token = stdout.trim();
    const key = await new KeyDirectory(new FileKeyStore(path), undefined).find(token);
    expect(key).toMatchObject({
      name: "viewer",
      scopes: ["read"],
      limits: { requestsPerMinute: 5, highestPriority: "bulk" },
    });
    expect(await readFile(path, "utf8")).not.toContain(token);
    await writeFile(path, "{}");
    const list = await fleet.ask(["keys", "list"], env);
    expect(list.code).not.toBe(0);
    expect(list.stderr).toContain("keys.json is damaged");
  });

  it("names the scopes there are, if one is unknown", async () => {
    const { code, stderr } = await fleet.ask(["keys", "add", "x", "--scopes", "read,write"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('--scopes: "write" is none of rerank, runs, read, admin');
  });
});
