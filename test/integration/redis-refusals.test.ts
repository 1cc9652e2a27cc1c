/** A Redis that can be reached and refuses: what is said, what is waited out, and what a user needs. */
import type { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RedisFeedingBoard } from "../../src/redis/feeding-board.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { Bench, BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import { Gate } from "../support/gate.js";
import { countLines, readRankings, writeRecords } from "../support/records.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";
import { until } from "../support/until.js";
import { firstUnlessLong } from "../support/needs.js";

const RIGHTS = await leastRights();

/** The rights that docs/redis.md gives a user. */
async function leastRights(): Promise<string[]> {
  const { readFile } = await import("node:fs/promises");
  const page = await readFile(new URL("../../docs/redis.md", import.meta.url), "utf8");
  const rule = /^ACL SETUSER rankmill on >PASSWORD (.+)$/m.exec(page)?.[1];
  if (rule === undefined) throw new Error("docs/redis.md has no ACL rule");
  return rule.split(" ");
}

describe.skipIf(!hasRealRedis)("a Redis that refuses", () => {
  let server: TestRedis;
  let redis: Redis;
  let bench: Bench;

  beforeAll(async () => {
    server = await TestRedis.start();
    redis = server.client();
  });

  beforeEach(async () => {
    await redis.flushall();
    await redis.acl("SETUSER", "some", "reset", "on", ">word", ...RIGHTS);
    bench = await Bench.open();
    writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["q", "r"] }]);
  });

  afterEach(async () => {
    await redis.config("SET", "maxmemory", "0");
    await bench.close();
  });

  afterAll(async () => {
    await server.close();
  });

  function urlOf(user: string, database = ""): string {
    return server.url.replace("redis://", `redis://${user}:word@`) + database;
  }

  it("ends a command with exit 5 if it lacks the database, and nothing goes to another one", async () => {
    const env = { REDIS_URL: `${server.url}/42` };
    const [run, status, other] = await Promise.all([
      bench.run(rerank("in.jsonl", "out.jsonl"), { env }),
      bench.run(["status"], { env }),
      bench.run(["status"], { env: { REDIS_URL: `${server.url}/prod` } }),
    ]);
    for (const exit of [run, status]) {
      expect(exit.stderr).toMatch(/cannot use Redis at \S+\/42: it has no database of this number/);
      expect(exit.code).toBe(5);
    }
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("names a database that is not a number");
    expect(await redis.dbsize()).toBe(0);
  });

  it.each(firstUnlessLong(["-info", "-evalsha -eval", "resetkeys ~other:*", "resetchannels"], 2))(
    "ends a command of a user under %s with exit 5, in a few lines that name what is missing",
    async (less) => {
      await redis.acl("SETUSER", "some", ...words(less));
      const env = { REDIS_URL: urlOf("some") };
      const exit = await bench.run(rerank("in.jsonl", "out.jsonl"), { env });
      expect(exit.stderr).toMatch(/lacks a right that is needed; docs\/redis\.md lists them/);
      expect(exit.stderr).not.toMatch(/\n\s+at /);
      expect(exit.stderr.split("\n").length).toBeLessThan(60);
      expect(exit.code).toBe(5);
    },
  );

  it("refuses nothing that a run of a fleet needs to a user with the rights of docs/redis.md", async () => {
    const env = { REDIS_URL: urlOf("some") };
    const worker = await bench.worker(words(`--model ${BUILTIN} --lanes 1`), { env });
    const commands = [
      `submit --model ${BUILTIN} --input in.jsonl --run r --wait`,
      "status r",
      "results r --output out.jsonl",
      "purge r",
    ];
    for (const command of commands) {
      const exit = await bench.run(words(command), { env });
      expect({ command, code: exit.code, stderr: exit.stderr }).toMatchObject({ code: 0 });
    }
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
  });

  it("is waited for if its memory is full, and the run goes on once there is some", async () => {
    const { used_memory: used = "0" } = Object.fromEntries(
      (await redis.info("memory")).split("\r\n").map((line) => line.split(":", 2)),
    ) as Record<string, string>;
    await redis.config("SET", "maxmemory", used);
    const env = { REDIS_URL: server.url };
    const run = bench.start(rerank(SAMPLE, "out.jsonl", "--lanes 1"), { env });
    await until("Redis has refused a write", async () => {
      return /errorstat_OOM/.test(await redis.info("errorstats"));
    });
    expect(run.running).toBe(true);
    await redis.config("SET", "maxmemory", "0");
    const exit = await run.exited;
    expect({ code: exit.code, stderr: exit.code === 0 ? "" : exit.stderr }).toEqual({
      code: 0,
      stderr: "",
    });
    expect(readRankings(bench.path("out.jsonl")).length).toBeGreaterThan(10);
  });

  it("is waited for by all that feeds a run if a script keeps it busy", async () => {
    await redis.config("SET", "lua-time-limit", "10");
    const [scripting, killer] = [server.client(), server.client()];
    const queue = new RedisJobQueue(redis, "{m}", 1_000);
    const board = new RedisFeedingBoard(redis, "{m}");
    try {
      const script = scripting.eval("while true do end", 0).catch(() => {});
      await until("Redis is busy", async () => {
        return await killer.ping().then(
          () => false,
          (error: unknown) => String(error).includes("BUSY"),
        );
      });
      const feeding = Promise.all([
        queue.activeIds(),
        queue.release(["a"], "somebody"),
        board.post("somebody", 1),
        board.remove("somebody"),
      ]);
      // The commands before it have been refused too: they came by the same connection.
      await expect(redis.ping()).rejects.toThrow("BUSY");
      await killer.script("KILL");
      await script;
      await feeding;
    } finally {
      await queue.close();
      scripting.disconnect();
      killer.disconnect();
      await redis.config("SET", "lua-time-limit", "5000");
    }
  });

  // In the second case nothing writes but the queue's worker.
  it.each(
    firstUnlessLong([
      ["while rankings come", true],
      ["while all lanes are busy", false],
    ] as const),
  )(
    "ends a run with exit 5 if it becomes a replica %s, and refuses every command",
    async (_, rankingsCome) => {
      const gate = await Gate.open();
      const env = { REDIS_URL: server.url, ...gate.env };
      try {
        gate.hold();
        const run = bench.start(rerank(SAMPLE, "out.jsonl", "--max-batch-size 1"), { env });
        await gate.stepUntil("some are ranked", () => {
          if (!run.running) throw new Error(run.said);
          return countLines(bench.path("out.jsonl.partial")) > 0;
        });
        await redis.call("REPLICAOF", "127.0.0.1", "1");
        if (rankingsCome) gate.release();
        const ended = await run.exited;
        expect(ended.stderr).toMatch(/it is a replica.*address of the primary.*run again to go on/);
        expect(ended.code).toBe(5);
        // Refusals are told in their own words, and nothing is waited for after the last.
        expect(ended.stderr).not.toMatch(/"ReplyError","message":"READONLY|left open/);
        const status = await bench.run(["status"], { env });
        expect(status.stderr).toMatch(
          /^rankmill: cannot use Redis at .* replica of 127\.0\.0\.1:1\)\n$/,
        );
        expect(status.code).toBe(5);
      } finally {
        await redis.call("REPLICAOF", "NO", "ONE");
        await gate.close();
      }
    },
  );
});
