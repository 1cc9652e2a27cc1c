import { describe, expect, it } from "vitest";
import { RankmillError } from "../../../src/core/errors.js";
import {
  asRedisError,
  explainRefusal,
  isPassingRefusal,
} from "../../../src/redis/redis-refusal.js";
import { waitOut } from "../../../src/redis/wait-out.js";

function reply(message: string): Error {
  const error = new Error(message);
  error.name = "ReplyError";
  return error;
}

const FULL =
  "OOM command not allowed when used memory > 'maxmemory'. script: 8bdf0d, on @user_script:11.";

describe("an answer by which Redis refuses", () => {
  it.each([
    [FULL, true, /memory is full \(maxmemory\).*used memory > 'maxmemory'\)$/],
    ["MISCONF Redis is configured to save RDB snapshots, but", true, /cannot write its data/],
    ["LOADING Redis is loading the dataset in memory", true, /still loading/],
    ["BUSY Redis is busy running a script.", true, /script/],
    ["EXECABORT Transaction discarded because of: BUSY Redis is busy", true, /script/],
    ["CLUSTERDOWN Hash slot not served", true, /cluster is not complete/],
    ["NOREPLICAS Not enough good replicas to write.", true, /replicas/],
    ["ERR max number of clients reached", true, /maxclients/],
    ["READONLY You can't write against a read only replica.", false, /address of the primary/],
    ["NOAUTH Authentication required.", false, /password/],
    ["WRONGPASS invalid username-password pair or user is disabled.", false, /password/],
    ["NOPERM this user has no permissions to run the 'info' command", false, /'info'/],
    ["MOVED 3999 127.0.0.1:6381", false, /node of a cluster/],
    ["ERR DB index is out of range", false, /no database of this number/],
    ["ERR unknown command 'EVALSHA', with args beginning with", false, /does not know/],
  ])("says what to do, and whether waiting helps: %s", (message, passes, advice) => {
    const error = reply(message);
    expect(isPassingRefusal(error)).toBe(passes);
    expect(explainRefusal(error)).toMatch(advice);
    expect(explainRefusal(error)).not.toContain("script:");
    expect(asRedisError(new Error("around it", { cause: error }))).toMatchObject({
      code: "redis_unavailable",
      cause: expect.any(Error) as unknown,
    });
  });

  it("is not seen in errors of other kinds", () => {
    for (const error of [new TypeError("x"), "OOM ", new RankmillError("conflict", "LOADING x")]) {
      expect(asRedisError(error)).toBe(error);
    }
    expect(asRedisError(reply("ERR odd"))).toMatchObject({ code: "redis_unavailable" });
  });
});

describe("work that Redis refuses", () => {
  it("is done again until Redis takes it, and the wait is told once", async () => {
    let refusals = 2;
    let told = 0;
    const work = async (): Promise<string> => {
      await Promise.resolve();
      if (refusals === 0) return "done";
      refusals -= 1;
      throw reply(FULL);
    };
    expect(await waitOut(work, { onWait: () => (told += 1) })).toBe("done");
    expect(told).toBe(1);
  });

  it("ends with what to do once the time for it is over, and at once if waiting is vain", async () => {
    const full = waitOut(() => Promise.reject(reply(FULL)), { atMostMs: 0 });
    await expect(full).rejects.toMatchObject({ code: "redis_unavailable" });
    let times = 0;
    const denied = waitOut(() => {
      times += 1;
      return Promise.reject(reply("NOPERM no"));
    });
    await expect(denied).rejects.toMatchObject({ code: "redis_unavailable" });
    expect(times).toBe(1);
  });
});
