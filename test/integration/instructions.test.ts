/** A model with a prompt, from each way in: the instruction reaches the model, and the scores are the framework's. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/index.js";
import { BUILTIN } from "../support/cli.js";
import { FP32_TOLERANCE } from "../support/fidelity.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { fixtureFolder } from "../support/lanes.js";

const MODEL = fixtureFolder("qwen3");

interface Expected {
  readonly query: string;
  readonly document: string;
  readonly instruction: string | null;
  readonly logit: number;
}
const EXPECTED = JSON.parse(readFileSync(join(MODEL, "expected.json"), "utf8")) as Expected[];
/** One pair, without an instruction and with one. */
const [PLAIN, TOLD] = EXPECTED as [Expected, Expected];

function close(logit: number | undefined, { logit: expected }: Expected): void {
  expect(Math.abs((logit ?? Number.NaN) - expected)).toBeLessThanOrEqual(FP32_TOLERANCE);
}

describe("an instruction", () => {
  const fleet = useFleet({ shared: "everything" });
  let gateway: TestGateway;

  beforeAll(async () => {
    await fleet.bench.worker(["--model", MODEL, "--lanes", "1"]);
    await fleet.worker();
    gateway = await startGateway(fleet);
  });

  it("changes the scores of the library's calls as it does those of the framework", async () => {
    const client = await createClient({ redisUrl: fleet.server.url });
    try {
      for (const expected of [PLAIN, TOLD]) {
        const { query, document, instruction } = expected;
        const given = instruction === null ? {} : { instruction };
        const ranking = await client.rerank({
          model: "qwen3",
          query,
          documents: [document],
          ...given,
        });
        close(ranking.results[0]?.logit, expected);
      }
      const refused = client.enqueue({
        model: BUILTIN,
        query: "mill",
        documents: ["a river"],
        instruction: "find",
      });
      await expect(refused).rejects.toThrow("instruction: builtin-bm25 takes none");
    } finally {
      await client.close();
    }
  });

  it("is taken by the gateway under the names that clients have for it", async () => {
    const { query, document, instruction } = TOLD;
    for (const name of ["instruction", "instruct"]) {
      const body = { model: "qwen3", query, documents: [document], raw_scores: true };
      const response = await gateway.post("/v1/rerank", { ...body, [name]: instruction });
      const { results } = (await response.json()) as { results: { relevance_score: number }[] };
      close(results[0]?.relevance_score, TOLD);
    }
    const body = { model: BUILTIN, query, documents: [document], instruction };
    const refused = await gateway.post("/v1/rerank", body);
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain("builtin-bm25 takes none");
  });

  it("belongs to a run, whether Redis holds it or a spool", async () => {
    const { query, document, instruction } = TOLD;
    const input = fleet.bench.path("told.jsonl");
    await writeFile(input, `${JSON.stringify({ id: "a", query, documents: [document] })}\n`);
    const spool = fleet.bench.path("spool");
    fleet.bench.start(["runner", "--spool", spool]);
    for (const [place, more] of [
      ["redis", []],
      ["spool", ["--spool", spool]],
    ] as const) {
      const output = fleet.bench.path(`${place}.jsonl`);
      const named = ["--run", `told-${place}`, ...more];
      const args = ["submit", "--model", "qwen3", "--input", input, "--output", output, ...named];
      const { code, stderr } = await fleet.run([...args, "--instruction", instruction ?? ""]);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      const [line = ""] = readFileSync(output, "utf8").split("\n");
      close((JSON.parse(line) as { results: { logit: number }[] }).results[0]?.logit, TOLD);
    }
  });
});
