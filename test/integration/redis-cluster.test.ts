/** Everything on a Redis Cluster of three masters, as people run it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createClient, type Client, type Run } from "../../src/index.js";
import { connectRedis } from "../../src/redis/connection.js";
import { Bench, BERT, BUILTIN, rerank, SAMPLE, words } from "../support/cli.js";
import { Gate } from "../support/gate.js";
import { gatewayOf } from "../support/gateway.js";
import { given, longTests, realRedis, valkey } from "../support/needs.js";
import { multiply, readRankings, writeRecords } from "../support/records.js";
import { TestCluster } from "../support/redis-cluster.js";
import { until } from "../support/until.js";

const RECORDS = 54;
const NO_KEYS = [[], [], []];

let cluster: TestCluster;
let bench: Bench;
let client: Client;

describe("a cluster of three masters", given(realRedis), () => {
  beforeAll(async () => {
    cluster = await TestCluster.start();
    bench = await Bench.open({ REDIS_URL: cluster.url });
    client = await createClient({ redisUrl: cluster.url, spool: bench.path("spool") });
  });
  afterAll(async () => {
    try {
      await client.close();
      await bench.close();
    } finally {
      await cluster.close();
    }
  });

  it("`run` ranks a file there, and leaves no key of a run or a job on any master", async () => {
    const done = await bench.run(rerank(SAMPLE, "out.jsonl"));
    expect(done.code, done.stderr).toBe(0);
    expect(readRankings(bench.path("out.jsonl"))).toHaveLength(RECORDS);
    expect(await cluster.keysOfRuns()).toEqual(NO_KEYS);
  });

  it(
    "runs in Redis and in a spool are stopped, tried again, ranked and purged",
    given(longTests),
    async () => {
      const inRedis = await client.runs.submit(SAMPLE, { model: BUILTIN, spooled: false });
      const runner = bench.start(words("runner --spool spool"));
      const inSpool = await client.runs.submit(SAMPLE, { model: BUILTIN, topN: 1 });
      const runs: readonly Run[] = [inRedis, inSpool];
      for (const run of runs) {
        expect(await run.cancel()).toBeGreaterThanOrEqual(RECORDS);
        expect(await run.status()).toMatchObject({ state: "cancelled", total: RECORDS });
        expect(await run.retry()).toBeGreaterThanOrEqual(RECORDS);
      }
      const worker = await bench.worker(words(`--model ${BUILTIN} --lanes 1`));
      for (const run of runs) {
        const over = await run.untilOver({ timeoutMs: 300_000, pollMs: 50 });
        expect(over).toMatchObject({ state: "complete", counts: { done: RECORDS, failed: 0 } });
        const name = `${run.place}.jsonl`;
        await run.writeResults(bench.path(name));
        expect(readRankings(bench.path(name))).toHaveLength(RECORDS);
      }
      const status = await bench.run(["status"]);
      expect(status.stdout).toContain(inRedis.id);
      expect(status.stdout).toContain(inSpool.id);
      expect((await cluster.keysOfRuns()).flat()).not.toEqual([]);
      for (const run of runs) await client.runs.purge(run.id);
      for (const command of [worker, runner]) {
        command.signal("SIGTERM");
        expect(await command.exited).toMatchObject({ code: 0 });
      }
      expect(await cluster.keysOfRuns()).toEqual(NO_KEYS);
    },
  );

  it(
    "two models work side by side for a client, each with its keys on one master",
    given(longTests),
    async () => {
      const models = [BUILTIN, BERT];
      await Promise.all(
        models.map((model) => {
          return bench.worker(words(`--model ${model} --lanes 1 --score-cache-bytes 1000000`));
        }),
      );
      const documents = ["nothing of it", "a river bank", "a bank for money"];
      const ranked = await Promise.all(
        models.flatMap((model) =>
          ["river", "nothing"].map(async (query) => {
            const job = await client.enqueue({ model: nameOf(model), query, documents });
            return await job.result({ timeoutMs: 300_000 });
          }),
        ),
      );
      expect(ranked.map(({ results }) => results.length)).toEqual([3, 3, 3, 3]);
      expect(ranked[1]?.results[0]).toMatchObject({ index: 0 });
      for (const master of cluster.masters) {
        const keys = await master.redis.keys("rankmill:{*}*");
        const tags = new Set(keys.flatMap((key) => /\{([^}]*)\}/.exec(key)?.[1] ?? []));
        for (const tag of tags) expect((await cluster.masterOf(`{${tag}}`)).port).toBe(master.port);
      }
      const scores = await Promise.all(
        cluster.masters.map(({ redis }) => redis.keys("rankmill:*:scores:*")),
      );
      expect(scores.flat()).not.toEqual([]);
    },
  );

  it("the dashboard shows the queues of models on whatever master", given(longTests), async () => {
    const dashboard = bench.start(words("dashboard --dashboard-port 0"));
    await dashboard.says("serving dashboard");
    const port = /"port":(\d+)/.exec(dashboard.stdout)?.[1] ?? "";
    const answer = await fetch(`http://127.0.0.1:${port}/api/queues`);
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    expect(text).toContain(`${BUILTIN} fp32 bulk`);
    expect(text).toContain("interactive");
    dashboard.signal("SIGTERM");
    await dashboard.exited;
  });

  it(
    "the gateway answers, keeps its keys and gives its jobs, and leaves none of a request",
    given(longTests),
    async () => {
      const worker = await bench.worker(words(`--model ${BUILTIN} --lanes 1`));
      const gateway = await gatewayOf(
        bench.start(words("serve --port 0 --deadline 300 --spool spool")),
      );
      const body = { model: BUILTIN, query: "mill", documents: ["a river", "the mill"] };
      const ranked = await gateway.post("/v1/rerank", body);
      expect(await ranked.json()).toMatchObject({ results: [{ index: 1 }, { index: 0 }] });
      await until("the keys of the request are gone", async () => {
        return (await cluster.keysOfRuns()).every((keys) => keys.length === 0);
      });
      const added = await bench.run(
        words("keys add user --requests-per-minute 100 --pairs-in-flight 1000"),
      );
      const token = /rk_\S+/.exec(added.stdout)?.[0] ?? "";
      await until("a key is asked for", async () => {
        return (await fetch(`${gateway.url}/v1/models`)).status === 401;
      });
      const headers = { authorization: `Bearer ${token}` };
      const job = await gateway.post("/v1/jobs", { ...body, query: "a mill" }, headers);
      const { url } = (await job.json()) as { url: string };
      const asked = await fetch(`${gateway.url}${url}?wait=300`, { headers });
      expect(await asked.json()).toMatchObject({
        status: "done",
        ranking: { results: [{ index: 1 }, {}] },
      });
      expect((await fetch(gateway.url + url, { method: "DELETE", headers })).status).toBe(204);
      const run = await fetch(`${gateway.url}/v1/runs?model=${BUILTIN}`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/x-ndjson" },
        body: JSON.stringify({ id: "a", ...body }),
      });
      expect(run.status, await run.clone().text()).toBe(202);
      for (const one of [gateway.running, worker]) {
        one.signal("SIGTERM");
        expect((await one.exited).code).toBe(0);
      }
    },
  );

  it("the doctor tells the mode, and the master whose settings lose work", async () => {
    const [master] = cluster.masters;
    await master?.redis.config("SET", "maxmemory-policy", "allkeys-lru");
    const doctor = await bench.run(words("doctor --json"));
    await master?.redis.config("SET", "maxmemory-policy", "noeviction");
    expect(doctor.code).toBe(1);
    const { findings } = JSON.parse(doctor.stdout) as {
      findings: { check: string; level: string; said: string }[];
    };
    const of = (name: string) => findings.filter(({ check }) => check === name);
    expect(of("redis-mode")).toMatchObject([{ level: "ok", said: /cluster of 3 masters/ }]);
    expect(of("redis-persistence")).toHaveLength(1);
    expect(of("redis-policy").filter(({ level }) => level === "problem")).toMatchObject([
      { said: expect.stringContaining(`127.0.0.1:${master?.port ?? 0}`) as string },
    ]);
  });

  it.each([
    ["a database number", () => `${cluster.url}/3`, /database 0 alone/],
    ["a query", () => `${cluster.url}?x=1`, /has a query/],
    ["a node as a server alone", () => cluster.url.replace(/^.*,/, "redis://"), /redis\+cluster:/],
  ])("an address with %s is refused in one line", async (_name, url, why) => {
    const refused = await connectRedis({ url: url() }, () => undefined).catch(String);
    expect(refused).toMatch(why);
    expect(refused).not.toContain("\n");
  });
});

describe("a cluster whose masters have replicas", given(realRedis), () => {
  beforeEach(async () => {
    cluster = await TestCluster.start({ replicas: true, password: "p@ss/w:rd" });
    bench = await Bench.open({ REDIS_URL: cluster.url });
  });
  afterEach(async () => {
    await bench.close();
    await cluster.close();
  });

  it("a run goes on with the replica of a master that is killed, and no record is lost or doubled", async () => {
    const records = multiply(SAMPLE, 2);
    writeRecords(bench.path("in.jsonl"), records);
    const run = bench.start(rerank("in.jsonl", "out.jsonl", "--max-batch-size 1 --no-calibrate"));
    await run.says(/[1-9]\d*\/108 records/);
    const [key] = (await cluster.keysOfRuns()).flat();
    const master = await cluster.masterOf(key ?? "");
    await master.kill();
    await cluster.takeOver(master);
    const ended = await run.exited;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain("p@ss");
    const ids = readRankings(bench.path("out.jsonl")).map(({ id }) => id);
    expect(ids).toHaveLength(records.length);
    expect(new Set(ids).size).toBe(records.length);
  });
});

describe("a cluster of Valkey's", given(valkey), () => {
  beforeEach(async () => {
    cluster = await TestCluster.start({ program: "valkey-server" });
    bench = await Bench.open({ REDIS_URL: cluster.url });
  });
  afterEach(async () => {
    await bench.close();
    await cluster.close();
  });

  it("`run` ranks a file on Valkey, and leaves no key of a run or a job on any master", async () => {
    const done = await bench.run(rerank(SAMPLE, "out.jsonl"));
    expect(done.code, done.stderr).toBe(0);
    expect(readRankings(bench.path("out.jsonl"))).toHaveLength(RECORDS);
    expect(await cluster.keysOfRuns()).toEqual(NO_KEYS);
  });
});

describe("a cluster under which work is disturbed", given(realRedis, longTests), () => {
  const records = multiply(SAMPLE, 3);

  beforeEach(async () => {
    cluster = await TestCluster.start();
    bench = await Bench.open({ REDIS_URL: cluster.url });
    client = await createClient({ redisUrl: cluster.url });
    writeRecords(bench.path("in.jsonl"), records);
  });
  afterEach(async () => {
    try {
      await client.close();
      await bench.close();
    } finally {
      await cluster.close();
    }
  });

  async function expectAllRanked(run: Run): Promise<void> {
    const over = await run.untilOver({ timeoutMs: 300_000, pollMs: 50 });
    expect(over.counts).toMatchObject({ done: records.length, failed: 0 });
    await run.writeResults(bench.path("out.jsonl"));
    const ids = readRankings(bench.path("out.jsonl")).map(({ id }) => id);
    expect(new Set(ids).size).toBe(records.length);
  }

  it("jobs of a worker that is killed are ranked by another", async () => {
    const run = await client.runs.submit(bench.path("in.jsonl"), { model: BUILTIN });
    const slow = words(`--model ${BUILTIN} --lanes 1 --max-batch-size 1 --no-calibrate`);
    const victim = await bench.worker(slow);
    await untilSomeAreDone(run);
    victim.signal("SIGKILL");
    await bench.worker(slow);
    await expectAllRanked(run);
  });

  it("every master may be killed and come back in turn, while a run is under way", async () => {
    const run = await client.runs.submit(bench.path("in.jsonl"), { model: BUILTIN });
    await bench.worker(words(`--model ${BUILTIN} --lanes 1 --max-batch-size 1 --no-calibrate`));
    await untilSomeAreDone(run);
    for (const master of cluster.masters) {
      await master.kill();
      await master.startAgain();
    }
    await expectAllRanked(run);
  });

  it("the slots of a model and of a run move to another master while its records are ranked", async () => {
    const gate = await Gate.open();
    try {
      const slow = words(`--model ${BUILTIN} --lanes 1 --max-batch-size 1 --no-calibrate`);
      const worker = await bench.worker(slow, { env: gate.env });
      gate.hold();
      const run = await client.runs.submit(bench.path("in.jsonl"), { model: BUILTIN });
      await gate.stepUntil("some records are done", async () => {
        return (await run.status()).counts.done > 0;
      });
      // Work goes on while the keys of a slot lie on two masters, and is not over before the end.
      for (const key of [`{${await modelTag()}}`, `{run:${run.id}}`]) {
        await cluster.moveSlot(key, () => gate.hold(10));
      }
      expect((await run.status()).state).toBe("submitted");
      gate.release();
      await expectAllRanked(run);
      worker.signal("SIGTERM");
      expect(await worker.exited).toMatchObject({ code: 0 });
    } finally {
      gate.release();
      await gate.close();
    }
  });

  it("a cluster that is gone as a whole for a moment is waited for", async () => {
    const run = await client.runs.submit(bench.path("in.jsonl"), { model: BUILTIN });
    await bench.worker(words(`--model ${BUILTIN} --lanes 1 --max-batch-size 1 --no-calibrate`));
    await untilSomeAreDone(run);
    await cluster.kill();
    await cluster.startAgain();
    await expectAllRanked(run);
  });
});

/** The hash tag of the one model that has keys. */
async function modelTag(): Promise<string> {
  const keys = (await cluster.keysOfRuns()).flat();
  const tag = keys.flatMap((key) => /\{(?!run:)([^}]*)\}/.exec(key)?.[1] ?? [])[0];
  if (tag === undefined) throw new Error("no model has keys");
  return tag;
}

/** Clients name a model as its workers do. */
function nameOf(model: string): string {
  return model === BERT ? "bert" : model;
}

async function untilSomeAreDone(run: Run): Promise<void> {
  await until("some records are done", async () => (await run.status()).counts.done > 0);
}
