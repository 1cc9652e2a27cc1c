/** The second runtime on the command line: what it ranks, and what a host that cannot serve it says. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BERT, Bench, rerank, SAMPLE } from "../support/cli.js";
import { bf16Cpu, given, openvino, OPENVINO_DIR } from "../support/needs.js";

/** float32 summed in another order. */
const TOLERANCE = 1e-4;

interface Ranking {
  readonly id: string;
  readonly results: readonly { readonly index: number; readonly logit: number }[];
}

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(async () => {
  await bench.close();
});

async function rank(output: string, more: string): ReturnType<Bench["run"]> {
  return await bench.run(rerank(SAMPLE, bench.path(output), more, BERT));
}

async function logitsIn(output: string): Promise<Map<string, number>> {
  const lines = (await readFile(bench.path(output), "utf8")).trim().split("\n");
  const rankings = lines.map((line) => JSON.parse(line) as Ranking);
  return new Map(
    rankings.flatMap(({ id, results }) =>
      results.map(({ index, logit }) => [`${id}/${index}`, logit] as const),
    ),
  );
}

describe("a run with OpenVINO", given(openvino), () => {
  it("ranks as ONNX Runtime does, and is gone on with by OpenVINO alone", async () => {
    const own = await rank("own.jsonl", "");
    expect(own.code, own.stderr).toBe(0);
    const theirs = await rank("theirs.jsonl", `--runtime openvino --openvino-dir ${OPENVINO_DIR}`);
    expect(theirs.code, theirs.stderr).toBe(0);
    const [expected, got] = [await logitsIn("own.jsonl"), await logitsIn("theirs.jsonl")];
    expect(got.size).toBe(expected.size);
    for (const [place, logit] of got) {
      expect(Math.abs(logit - (expected.get(place) ?? Number.NaN))).toBeLessThan(TOLERANCE);
    }
    const other = await rank("theirs.jsonl", "--runtime onnxruntime");
    expect(other.code).not.toBe(0);
    expect(other.stderr).toContain("form");
  });
});

describe("a host that cannot serve a choice of runtime", () => {
  it("names the command that sets it up", async () => {
    const { code, stderr } = await rank("none.jsonl", "--runtime openvino --openvino-dir /nowhere");
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^rankmill: OpenVINO cannot be used: there is no \S+ in \/nowhere; run "rankmill setup openvino"\n/,
    );
  });

  it.skipIf(bf16Cpu.isMet)("says that its CPU has no bf16", async () => {
    const { code, stderr } = await rank("bf16.jsonl", "--precision bf16");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^rankmill: --precision bf16: .*bf16.* choose fp32 or int8\n/);
  });

  it("leaves no card to OpenVINO", async () => {
    const { code, stderr } = await rank("card.jsonl", "--runtime openvino --device cuda");
    expect(code).toBe(2);
    expect(stderr).toContain("OpenVINO runs on CPUs; choose --device cpu");
  });
});
