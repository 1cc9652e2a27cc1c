/** Clients that wait, hang up, come again or come too many. The lanes are held, so that nothing hangs on speed. */
import { describe, expect, it } from "vitest";
import { listServedModels } from "../../src/redis/model-registry.js";
import { modelTag, workerKey, workersKey } from "../../src/redis/keys.js";
import { SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { jobsAtWork, keySpace } from "../support/key-space.js";
import { until } from "../support/until.js";

const DOCUMENTS = ["a river", "the mill"];
const fleet = useFleet({ shared: "nothing" });

function bodyOf(query: string): object {
  return { model: "builtin-bm25", query, documents: DOCUMENTS };
}

/** A worker whose lanes are held, and a gateway. */
async function heldFleet(line = "", workerLine = ""): Promise<TestGateway> {
  await fleet.worker(`--lanes 1 ${workerLine}`);
  const gateway = await startGateway(fleet, line);
  fleet.gate.hold();
  return gateway;
}

async function untilKeysAre(keys: readonly string[]): Promise<void> {
  await until("the keys are as they were", async () => {
    return JSON.stringify(await keySpace(fleet.redis)) === JSON.stringify(keys);
  });
}

/** Says of the workers that they score so many pairs per second together. */
async function announce(pairsPerSecond: number): Promise<void> {
  const [model] = await listServedModels(fleet.redis);
  if (model === undefined) throw new Error("no model is served");
  const tag = modelTag(model);
  const startedAt = new Date().toISOString();
  const worker = { id: "slow", host: "h", pid: 1, lanes: 1, held: 1, startedAt, pairsPerSecond };
  await fleet.redis.set(workerKey(tag, worker.id), JSON.stringify(worker));
  await fleet.redis.sadd(workersKey(tag), worker.id);
}

describe("a client that waits", () => {
  it("is told to come again once its time is over, joins its job then, and leaves no key", async () => {
    const gateway = await heldFleet();
    fleet.gate.release();
    await gateway.post("/v1/rerank", bodyOf("first"));
    fleet.gate.hold();
    await until("the first job is gone", async () => (await jobsAtWork(fleet.redis)) === 0);
    const before = await keySpace(fleet.redis);
    const late = await gateway.post("/v1/rerank", bodyOf("mill"), { prefer: "wait=0" });
    expect(late.status).toBe(504);
    expect(late.headers.get("preference-applied")).toBe("wait=0");
    const { job } = (await late.json()) as { job: { id: string; url: string } };
    expect(job).toEqual({
      id: expect.stringMatching(/^r[0-9a-f]{40}-[0-9a-f]{8}$/) as string,
      url: `/v1/jobs/${job.id}`,
    });
    expect(late.headers.get("location")).toBe(job.url);
    await until("the job waits for whoever asks later", async () => {
      const owners = await fleet.redis.keys(`*:owners:${job.id.split("-", 1)[0] ?? ""}`);
      return (await fleet.redis.get(owners[0] ?? "")) === "late:local";
    });
    const again = gateway.post("/v1/rerank", bodyOf("mill"));
    fleet.gate.release();
    expect((await again).status).toBe(200);
    await untilKeysAre(before);
  });

  it("may hang up and ask again: the second request joins the job of the first", async () => {
    const gateway = await heldFleet();
    const hangingUp = new AbortController();
    const first = fetch(`${gateway.url}/v1/rerank`, {
      method: "POST",
      body: JSON.stringify(bodyOf("mill")),
      signal: hangingUp.signal,
    });
    await fleet.gate.untilHeld();
    hangingUp.abort();
    await expect(first).rejects.toThrow("aborted");
    const second = gateway.post("/v1/rerank", bodyOf("mill"));
    const third = gateway.post("/v1/rerank", bodyOf("mill"));
    await gateway.running.says('"status":499');
    expect(await jobsAtWork(fleet.redis)).toBe(1);
    fleet.gate.release();
    expect([(await second).status, (await third).status]).toEqual([200, 200]);
  });

  it("leaves no job behind once it has hung up and does not come again", async () => {
    const gateway = await heldFleet("--hang-up-grace 0");
    const before = await keySpace(fleet.redis);
    const hangingUp = new AbortController();
    const request = fetch(`${gateway.url}/v1/rerank`, {
      method: "POST",
      body: JSON.stringify(bodyOf("mill")),
      signal: hangingUp.signal,
    });
    await fleet.gate.untilHeld();
    hangingUp.abort();
    await expect(request).rejects.toThrow("aborted");
    await until("no job is left", async () => (await jobsAtWork(fleet.redis)) === 0);
    await until("no key of a job is left", async () => {
      const keys = await keySpace(fleet.redis);
      return keys.every((key) => before.includes(key) || /:(events|meta|id|fences)$/.test(key));
    });
  });

  it("is refused if the gateway holds as many as it may", async () => {
    const gateway = await heldFleet("--max-waiting-clients 1");
    const first = gateway.post("/v1/rerank", bodyOf("mill"));
    await fleet.gate.untilHeld();
    const second = await gateway.post("/v1/rerank", bodyOf("other"));
    expect([second.status, second.headers.get("retry-after")]).toEqual([503, "1"]);
    fleet.gate.release();
    expect((await first).status).toBe(200);
  });
});

describe("a gateway that is told to stop", () => {
  it("answers whoever waits, with 504 once its time is over, and ends with 0", async () => {
    const gateway = await heldFleet("--drain-timeout 0");
    const waiting = gateway.post("/v1/rerank", bodyOf("mill"));
    await fleet.gate.untilHeld();
    gateway.running.signal("SIGTERM");
    expect((await waiting).status).toBe(504);
    expect((await gateway.running.exited).code).toBe(0);
    expect(await fleet.redis.keys("*:owners:*")).toHaveLength(1);
  });

  it("finishes what is under way, and takes nothing new", async () => {
    const gateway = await heldFleet();
    const waiting = gateway.post("/v1/rerank", bodyOf("mill"));
    await fleet.gate.untilHeld();
    gateway.running.signal("SIGTERM");
    await until("no new request is taken", async () => {
      return await fetch(`${gateway.url}/healthz`).then(
        () => false,
        () => true,
      );
    });
    fleet.gate.release();
    expect((await waiting).status).toBe(200);
    expect((await gateway.running.exited).code).toBe(0);
  });
});

describe("a queue that is longer than a client waits", () => {
  it("is no queue of bulk jobs, and not one whose speed is not known", async () => {
    const gateway = await heldFleet("", "--concurrency 1");
    await fleet.submit(SAMPLE);
    await announce(0.001);
    await fleet.gate.untilHeld();
    const first = gateway.post("/v1/rerank", bodyOf("mill"));
    await until("the job is in the queue", async () => {
      return (await fleet.redis.keys("*-interactive:r*")).length > 0;
    });
    fleet.gate.release();
    expect((await first).status).toBe(200);
  });

  it("refuses with 429 and the time after which to come again", async () => {
    const gateway = await heldFleet("", "--concurrency 1");
    const hanging = ["a", "b", "c"].map((query) => gateway.post("/v1/rerank", bodyOf(query)));
    await until("jobs wait behind the one in hand", async () => {
      const [list] = await fleet.redis.keys("*-interactive:wait");
      return list !== undefined && (await fleet.redis.llen(list)) === 2;
    });
    await announce(0.05);
    const refused = await until("a request is refused", async () => {
      const response = await gateway.post("/v1/rerank", bodyOf("d"), { prefer: "wait=1" });
      return response.status === 429 && response;
    });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(30);
    expect(await refused.json()).toMatchObject({ error: { type: "rate_limit_error" } });
    const joining = gateway.post("/v1/rerank", bodyOf("a"));
    fleet.gate.release();
    for (const response of [...hanging, joining]) expect((await response).status).toBe(200);
  });
});

describe("a gateway whose Redis is away", () => {
  it("answers 503 as long as it is, and 200 afterwards", async () => {
    const gateway = await heldFleet();
    fleet.gate.release();
    fleet.server.freeze();
    try {
      const response = await gateway.post("/v1/rerank", bodyOf("mill"));
      expect(response.status).toBe(503);
      const text = await response.text();
      expect(text).not.toContain(new URL(fleet.server.url).port);
      expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    } finally {
      fleet.server.thaw();
    }
    await until("the gateway answers again", async () => {
      return (await gateway.post("/v1/rerank", bodyOf("mill"))).status === 200;
    });
  });
});
