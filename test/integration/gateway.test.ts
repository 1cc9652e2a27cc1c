/** `rankmill serve` with a real worker, as clients over HTTP see it. */
import { beforeAll, describe, expect, it } from "vitest";
import type { RunningCli } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { keySpace } from "../support/key-space.js";
import { until } from "../support/until.js";

const BODY = {
  model: "builtin-bm25",
  query: "mill",
  documents: ["a river", "the mill", "mill mill"],
};

interface Answer {
  readonly results: readonly { readonly index: number; readonly relevance_score: number }[];
}

describe("the gateway", () => {
  const fleet = useFleet({ shared: "everything" });
  let gateway: TestGateway;

  let worker: RunningCli;

  beforeAll(async () => {
    worker = await fleet.worker("--lanes 1");
    gateway = await startGateway(fleet, "--max-documents 2");
  });

  it("answers a list that is longer than a job with one ranking", async () => {
    const response = await gateway.post("/v1/rerank", BODY);
    expect(response.status).toBe(200);
    const { results } = (await response.json()) as Answer;
    expect(results.map(({ index }) => index)).toEqual([2, 1, 0]);
  });

  it("tells a client of TEI how long each stage took, and that is the whole time", async () => {
    const body = { model: BODY.model, query: "which mill?", texts: ["the mill", "a river"] };
    const { headers } = await gateway.post("/rerank", body);
    const [total, ...stages] = ["total", "tokenization", "queue", "inference"].map((stage) => {
      return Number(headers.get(`x-${stage}-time`) ?? Number.NaN);
    });
    const sum = stages.reduce((all, one) => all + one, 0);
    // Each is rounded.
    expect(Math.abs(sum - (total ?? Number.NaN))).toBeLessThanOrEqual(2);
  });

  it("leaves no key in Redis once a request has its answer", async () => {
    const before = await keySpace(fleet.redis);
    const response = await gateway.post("/v1/rerank", { ...BODY, query: "another mill" });
    expect(response.status).toBe(200);
    await until("the keys are gone", async () => {
      return JSON.stringify(await keySpace(fleet.redis)) === JSON.stringify(before);
    });
  });

  it("lists the models that a worker serves", async () => {
    const response = await fetch(`${gateway.url}/v1/models`);
    expect(await response.json()).toMatchObject({ object: "list", data: [{ id: "builtin-bm25" }] });
  });

  it("uses the lexical model for nobody who did not name it", async () => {
    const response = await gateway.post("/v1/rerank", { ...BODY, model: null });
    expect(response.status).toBe(404);
    const message = "model: is missing, and no model is served that needs no naming";
    expect(await response.text()).toContain(message);
  });

  it.each(["BUILTIN-BM25", "builtin-bm25:fp32"])("finds a model by the name %s", async (model) => {
    expect((await gateway.post("/v1/rerank", { ...BODY, model })).status).toBe(200);
  });

  it("lists no model whose workers have stopped, and still queues for one that is restarted", async () => {
    worker.signal("SIGTERM");
    await worker.exited;
    await until("no model is listed", async () => {
      const response = await fetch(`${gateway.url}/v1/models`);
      return ((await response.json()) as { data: unknown[] }).data.length === 0;
    });
    const asked = gateway.post("/v1/rerank", { ...BODY, query: "a third mill" });
    await fleet.worker("--lanes 1");
    expect((await asked).status).toBe(200);
  });
});
