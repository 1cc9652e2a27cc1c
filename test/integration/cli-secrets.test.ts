/** Passwords stay out of logs, also if Redis' own errors bring them along. */
import { describe, expect, it } from "vitest";
import { useFleet } from "../support/fleet.js";
import { given, realRedis } from "../support/needs.js";

const PASSWORD = "s3cret-of-the-mill";

describe("the log of a worker whose password no longer holds", given(realRedis), () => {
  const fleet = useFleet({ password: PASSWORD });

  it("the log of a worker whose password no longer holds says so, and not what it was", async () => {
    const worker = await fleet.worker("--lanes 1 --log-level trace");
    const client = fleet.redis;
    await client.config("SET", "requirepass", "another");
    await client.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    await worker.says(/WRONGPASS|NOAUTH/);
    expect(worker.stdout + worker.stderr).not.toContain(PASSWORD);
  });
});
