/** Passwords stay out of logs, also where Redis' own errors bring them along. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, BUILTIN } from "../support/cli.js";
import { hasRealRedis, TestRedis } from "../support/redis-server.js";

const PASSWORD = "s3cret-of-the-mill";

describe.skipIf(!hasRealRedis)("the log of a worker whose password no longer holds", () => {
  let redis: TestRedis;
  let bench: Bench;

  beforeEach(async () => {
    redis = await TestRedis.start({ password: PASSWORD });
    bench = await Bench.open({ REDIS_URL: redis.url });
  });
  afterEach(async () => {
    await bench.close();
    await redis.close();
  });

  it("says so, and not what the password was", async () => {
    const worker = await bench.worker(["--model", BUILTIN, "--lanes", "1", "--log-level", "trace"]);
    const client = redis.client();
    await client.config("SET", "requirepass", "another");
    await client.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    await worker.says(/WRONGPASS|NOAUTH/);
    expect(worker.stdout + worker.stderr).not.toContain(PASSWORD);
  });
});
