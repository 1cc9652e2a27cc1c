/** The client of one job at a time, as a producer in JavaScript uses it. */
import { createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClient, type Client } from "../../src/index.js";
import { useFleet } from "../support/fleet.js";

const REQUEST = { model: "builtin-bm25", query: "mill", documents: ["the mill", "a river"] };
/** Long enough for a slow machine; no test waits for its end unless Redis is silent. */
const LONG_MS = 60_000;

const fleet = useFleet();
let client: Client;

beforeEach(async () => {
  client = await createClient({ redisUrl: fleet.server.url });
});
afterEach(() => client.close());

describe("a job that its client cancels", () => {
  it("the result of a job that is cancelled while it is waited for rejects at once", async () => {
    const job = await client.enqueue(REQUEST);
    const result = job.result({ timeoutMs: LONG_MS });
    await Promise.all([expect(result).rejects.toMatchObject({ code: "cancelled" }), job.cancel()]);
  });

  it("the result of a job that was cancelled before rejects at once", async () => {
    const job = await client.enqueue(REQUEST);
    await job.cancel();
    await expect(job.result({ timeoutMs: LONG_MS })).rejects.toMatchObject({ code: "cancelled" });
  });

  it("the result of a job that was done before it was cancelled is still given", async () => {
    await fleet.worker();
    const job = await client.enqueue(REQUEST);
    const ranking = await job.result({ timeoutMs: LONG_MS });
    await job.cancel();
    expect(ranking.results.map(({ index }) => index)).toEqual([0, 1]);
  });
});

describe("a client without types", () => {
  it.each([
    ["priority", { priority: "high" }],
    ["truncation", { truncation: "high" }],
    ["resultTtlSeconds", { resultTtlSeconds: 0 }],
    ["score", { score: "most" }],
    ["longDocuments", { longDocuments: "yes" }],
    ["maxLength", { maxLength: -1 }],
    ["topN", { topN: -1 }],
  ])("is told that %s is not what it may be, before anything is enqueued", async (field, wrong) => {
    const error: unknown = await client
      .enqueue({ ...REQUEST, ...(wrong as object) })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "RankmillError" });
    expect(String(error)).toContain(field);
    expect(await fleet.redis.keys("rankmill:*:wait")).toEqual([]);
  });

  it("is told that a timeout is no number of milliseconds", async () => {
    const job = await client.enqueue(REQUEST);
    const none = {} as { timeoutMs: number };
    await expect(job.result(none)).rejects.toMatchObject({
      code: "invalid_field",
      message: expect.stringContaining("timeoutMs") as string,
    });
  });
});

describe("a Redis that goes away", () => {
  it("an enqueue and a result say redis_unavailable if Redis is silent", async () => {
    const job = await client.enqueue(REQUEST);
    const hasty = await createClient({ redisUrl: fleet.server.url, enqueueTimeoutMs: 500 });
    fleet.server.freeze();
    try {
      await expect(hasty.enqueue({ ...REQUEST, id: "b" })).rejects.toMatchObject({
        code: "redis_unavailable",
      });
      await expect(job.result({ timeoutMs: 4_000 })).rejects.toMatchObject({
        code: "redis_unavailable",
      });
    } finally {
      fleet.server.thaw();
      await hasty.close();
    }
  });

  it("a client that was closed says so", async () => {
    await client.close();
    await expect(client.enqueue(REQUEST)).rejects.toMatchObject({ code: "cancelled" });
  });

  it("a client is refused if Redis takes the connection and answers nothing", async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const { port } = silent.address() as { port: number };
    try {
      await expect(createClient({ redisUrl: `redis://127.0.0.1:${port}` })).rejects.toMatchObject({
        code: "redis_unavailable",
        message: expect.stringContaining("no answer within 10 s") as string,
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });
});
