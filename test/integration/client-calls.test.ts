/** The client in one call, and of many requests at once. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClient, type Client, type ManyResult, type RerankOptions } from "../../src/index.js";
import { waitAtMost } from "../../src/platform/wait-at-most.js";
import { useFleet } from "../support/fleet.js";
import { jobsAtWork } from "../support/key-space.js";
import { until } from "../support/until.js";

const REQUEST = { model: "builtin-bm25", query: "mill", documents: ["a river", "the mill"] };
/** Long enough for a slow machine; no test waits for its end. */
const LONG_MS = 120_000;
/** Its end is waited for; a slow machine answers in it what can be answered at all. */
const SHORT_MS = 3_000;

const fleet = useFleet();
let client: Client;

beforeEach(async () => {
  client = await createClient({ redisUrl: fleet.server.url });
});
afterEach(() => client.close());

const untilQueueIsEmpty = (): Promise<true> =>
  until("no job is left in the queue", async () => (await jobsAtWork(fleet.redis)) === 0);

const untilQueued = (jobs: number): Promise<true> =>
  until("the jobs are queued", async () => (await jobsAtWork(fleet.redis)) === jobs);

/** Why a call is late is told if Redis answers that in time: on a slow machine not the first time. */
const untilRejected = (call: () => Promise<unknown>, expected: object): Promise<true> =>
  until("the call says why it is late", async () => {
    const error: unknown = await call().catch((reason: unknown) => reason);
    return expect.objectContaining(expected).asymmetricMatch(error);
  });

interface Page extends RerankOptions {
  readonly page: number;
}

function* pages(count: number, taken: number[] = []): Generator<Page, void, undefined> {
  for (let page = 0; page < count; page += 1) {
    taken.push(page);
    yield { ...REQUEST, page, id: `page-${page}` };
  }
}

describe("a call that nobody answers", () => {
  it("ends with no_worker and what to type, and takes its job out of the queue", async () => {
    await client.job("opens-the-model", REQUEST.model);
    await untilRejected(() => client.rerank(REQUEST, { timeoutMs: SHORT_MS }), {
      code: "no_worker",
      message: expect.stringContaining(
        'start one with "rankmill worker --model builtin-bm25 --precision fp32"',
      ) as string,
    });
    await untilQueueIsEmpty();
  });

  it("ends with the reason of its signal, and takes its job out of the queue", async () => {
    const stop = new AbortController();
    const ranking = client.rerank(REQUEST, { signal: stop.signal });
    await Promise.all([
      expect(ranking).rejects.toBe("enough"),
      untilQueued(1).then(() => stop.abort("enough")),
    ]);
    await untilQueueIsEmpty();
  });

  it("leaves the job to an equal call and to a handle of the same client", async () => {
    const job = await client.enqueue(REQUEST);
    const [first, second] = [new AbortController(), new AbortController()];
    const hasty = client.rerank(REQUEST, { signal: first.signal });
    const patient = client.rerank(REQUEST, { signal: second.signal, timeoutMs: LONG_MS });
    await Promise.all([
      expect(hasty).rejects.toThrow("first"),
      untilQueued(1).then(() => first.abort(new Error("first"))),
    ]);
    await job.cancel();
    expect(await jobsAtWork(fleet.redis)).toBe(1);
    await fleet.worker();
    expect((await patient).results.map(({ index }) => index)).toEqual([1, 0]);
  });

  it("is not begun if its signal has aborted before", async () => {
    const signal = AbortSignal.abort(new Error("before"));
    await expect(client.rerank(REQUEST, { signal })).rejects.toThrow("before");
    await expect(client.enqueue(REQUEST, { signal })).rejects.toThrow("before");
    await expect(createClient({ redisUrl: fleet.server.url, signal })).rejects.toThrow("before");
    expect(await jobsAtWork(fleet.redis)).toBe(0);
  });

  it("is told apart from a slow one, whose error says how many workers there are", async () => {
    await fleet.worker();
    fleet.gate.hold();
    const job = await client.enqueue(REQUEST);
    await untilRejected(() => job.result({ timeoutMs: SHORT_MS }), {
      code: "timeout",
      message: expect.stringMatching(
        /1 worker serves builtin-bm25 \(fp32\); jobs of this model: 1 in hand/,
      ) as string,
    });
    fleet.gate.release();
    expect((await job.result({ signal: AbortSignal.timeout(LONG_MS) })).results).toHaveLength(2);
  });
});

async function readAll(requests: Iterable<RerankOptions>): Promise<void> {
  for await (const _ of client.enqueueMany(requests));
}

describe("many requests", () => {
  it("are read only as far as results are taken, and a loop that is left takes its jobs along", async () => {
    const taken: number[] = [];
    let returned = false;
    const source = (function* () {
      try {
        yield* pages(1_000, taken);
      } finally {
        returned = true;
      }
    })();
    const stop = new AbortController();
    const loop = (async () => {
      for await (const { index } of client.enqueueMany(source, {
        inFlightJobs: 3,
        signal: stop.signal,
      })) {
        throw new Error(`there is no worker, but request ${index} has a result`);
      }
    })();
    await untilQueued(3);
    // One more is in hand and waits for room.
    expect(taken).toEqual([0, 1, 2, 3]);
    stop.abort(new Error("enough"));
    await expect(loop).rejects.toThrow("enough");
    await untilQueueIsEmpty();
    await until("the source is told", () => returned);
  });

  it("give each its ranking or its error, with the request as it was given", async () => {
    await fleet.worker();
    const requests = [...pages(20), { ...REQUEST, page: 20, query: "" }];
    const results: ManyResult<Page>[] = [];
    for await (const result of client.enqueueMany(requests, { inFlightJobs: 5 })) {
      results.push(result);
    }
    expect(results.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
      requests.map((_, i) => i),
    );
    const said = results.map((result) => [
      result.index,
      result.status === "done" ? result.ranking.id : result.error.code,
    ]);
    expect(Object.fromEntries(said)).toEqual(
      Object.fromEntries(
        requests.map(({ page }) => [page, page < 20 ? `page-${page}` : "invalid_field"]),
      ),
    );
    expect(results.filter(({ status }) => status === "done")).toHaveLength(20);
    // A loop that is left after its first result leaves no job behind.
    for await (const _ of client.enqueueMany(pages(1_000), { inFlightBytes: 1_000 })) break;
    await untilQueueIsEmpty();
  });

  it("end with what their source throws, and with an unknown model", async () => {
    const broken = (function* () {
      yield* pages(2);
      throw new Error("the disk is gone");
    })();
    await expect(readAll(broken)).rejects.toThrow("the disk is gone");
    await untilQueueIsEmpty();
    await expect(readAll([{ ...REQUEST, model: "nobody" }])).rejects.toMatchObject({
      code: "model_not_found",
    });
    expect(() => client.enqueueMany([], { inFlightJobs: 0 })).toThrow("inFlightJobs: is 0");
  });
});

describe("a Redis that goes away", () => {
  it("ends a call and a loop with redis_unavailable, and lets the client close", async () => {
    const redisUrl = fleet.server.url;
    const hasty = await createClient({ redisUrl, enqueueTimeoutMs: SHORT_MS });
    // Known from here on, with its connection.
    await (await hasty.enqueue(REQUEST)).cancel();
    fleet.server.freeze();
    try {
      const away = { code: "redis_unavailable" };
      await expect(hasty.rerank(REQUEST)).rejects.toMatchObject(away);
      await expect(hasty.enqueue(REQUEST, { timeoutMs: 50 })).rejects.toMatchObject({
        ...away,
        message: "Redis has not answered for 50 ms",
      });
      await expect(hasty.enqueueMany([REQUEST]).next()).rejects.toMatchObject(away);
      expect((await waitAtMost(hasty.close(), LONG_MS)).status).toBe("settled");
    } finally {
      fleet.server.thaw();
    }
  });
});

describe("a client that is held with await using", () => {
  it("is closed at the end of its block, and whoever waits is told", async () => {
    let ranking: Promise<unknown>;
    {
      await using held = await createClient({ redisUrl: fleet.server.url });
      ranking = held.rerank(REQUEST, { timeoutMs: LONG_MS });
      ranking.catch(() => {});
      await untilQueued(1);
    }
    await expect(ranking).rejects.toMatchObject({ code: "cancelled" });
  });
});
