/** `rankmill serve --model` without REDIS_URL: a Redis, a worker and the gateway in one command. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, words, type RunningCli } from "../support/cli.js";
import { gatewayOf, type TestGateway } from "../support/gateway.js";
import { given, longTests, realRedis } from "../support/needs.js";
import { until } from "../support/until.js";

const BODY = { query: "where is corn ground", documents: ["a river", "the corn mill"] };

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

function stateDir(): string {
  return join(bench.folder, "state");
}

function start(line = ""): RunningCli {
  const common = `serve --model builtin-bm25 --lanes 1 --port 0 --state-dir ${stateDir()}`;
  return bench.start(words(`${common} ${line}`));
}

async function open(line = ""): Promise<TestGateway> {
  return await gatewayOf(start(line));
}

describe("a server all in one", () => {
  it("answers requests, and ends with nothing left but its state", async () => {
    const gateway = await open();
    const answer = await gateway.post("/v1/rerank", BODY);
    expect(await answer.json()).toMatchObject({
      model: "builtin-bm25",
      results: [{ index: 1 }, { index: 0 }],
    });
    gateway.running.signal("SIGTERM");
    expect((await gateway.running.exited).code).toBe(0);
    expect(await readdir(stateDir())).toEqual(["redis"]);
  });

  it("is refused a folder in which another works", async () => {
    const { running } = await open();
    const { code, stderr } = await start().exited;
    expect(code).toBe(2);
    expect(stderr).toContain(`--state-dir: process ${running.pid} works in ${stateDir()}`);
  });

  it(
    "takes a folder alone if several start at once, also one that a killed server left",
    given(longTests),
    async () => {
      for (const round of ["new", "left behind"]) {
        const all = [start(), start(), start()];
        const serving = (): RunningCli[] =>
          all.filter(({ stdout }) => stdout.includes("serving gateway"));
        await until("each serves or has ended", () =>
          all.every((one) => !one.running || serving().includes(one)),
        );
        expect(serving(), round).toHaveLength(1);
        const [winner] = serving();
        for (const one of all) {
          if (one === winner) continue;
          const { code, stderr } = await one.exited;
          expect([code, stderr]).toEqual([2, expect.stringContaining("--state-dir: process")]);
        }
        winner?.signal("SIGKILL");
        await winner?.exited;
      }
    },
  );

  it("says what is missing if neither a Redis nor a model is named", async () => {
    const { code, stderr } = await bench.run(words("serve --port 0"));
    expect(code).toBe(2);
    expect(stderr).toContain("--redis-url is missing");
    expect(stderr).toContain("--model");
  });
});

describe("a server all in one that was killed", given(realRedis), () => {
  it("goes on with its keys and its jobs", async () => {
    const first = await open();
    const { running } = first;
    const job = await first.post("/v1/jobs", { model: "builtin-bm25", ...BODY });
    expect(job.status).toBe(202);
    const { id } = (await job.json()) as { id: string };
    await until("the ranking is there", async () => {
      const { status } = (await (await fetch(`${first.url}/v1/jobs/${id}`)).json()) as {
        status: string;
      };
      return status === "done";
    });
    running.signal("SIGKILL");
    await running.exited;
    const second = await open();
    const again = await fetch(`${second.url}/v1/jobs/${id}`);
    expect(await again.json()).toMatchObject({ id, status: "done" });
  });
});
