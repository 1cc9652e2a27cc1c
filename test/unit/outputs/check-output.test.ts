import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkOutput } from "../../../src/outputs/check-output.js";
import { outputPaths } from "../../../src/outputs/output-paths.js";
import { RunOutput } from "../../../src/outputs/run-output.js";
import { SETTINGS } from "../../support/run-settings.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-apart-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function at(name: string): string {
  return join(folder, name);
}

function put(name: string): string {
  mkdirSync(join(at(name), ".."), { recursive: true });
  writeFileSync(at(name), "precious\n");
  return at(name);
}

async function expectRefused(output: string, input: string, format?: string): Promise<string> {
  const reads = [{ option: "input", path: input }];
  const error: unknown = await checkOutput(output, reads, format).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "conflict" });
  return String(error);
}

describe("an output that is also an input", () => {
  it.each([
    ["out.jsonl", "out.jsonl"],
    ["out.jsonl", "out.failed.jsonl"],
    ["out.jsonl", "out.manifest.json"],
    ["out.jsonl", "out.jsonl.partial"],
    ["out.jsonl", "out.jsonl.lock"],
    ["out", "out.failed.jsonl"],
    ["out.trec", "out.trec.rankings.jsonl"],
    ["out.trec", "out.trec.rankmill.tmp"],
  ])("is refused: %s writes %s", async (output, input) => {
    const path = put(input);
    expect(await expectRefused(at(output), path, "trec")).toContain(`${path}, which input reads`);
  });

  it("is refused under another name: a link, a hard link, a way around, an open file", async () => {
    const input = put("in.jsonl");
    symlinkSync(input, at("soft.jsonl"));
    linkSync(input, at("hard.jsonl"));
    mkdirSync(at("other"));
    symlinkSync(folder, at("other/back"));
    const open = openSync(input, "r");
    try {
      for (const other of [
        at("soft.jsonl"),
        at("hard.jsonl"),
        `${folder}/other/../in.jsonl`,
        at("other/back/in.jsonl"),
        `/dev/fd/${open}`,
      ]) {
        await expectRefused(other, input);
        await expectRefused(input, other);
      }
    } finally {
      closeSync(open);
    }
  });

  it("is refused if it is a file of the folder that is read", async () => {
    put("collection/corpus.jsonl");
    put("collection/qrels/test.tsv");
    await expectRefused(at("collection/corpus.jsonl"), at("collection"));
    await expectRefused(at("collection/qrels/test.tsv"), at("collection"));
  });

  it("is refused for every place that is read, and named", async () => {
    const reads = [
      { option: "input", path: put("in.jsonl") },
      { option: "firstStage", path: put("run.trec") },
      { option: "qrels", path: put("qrels.tsv") },
    ];
    await expect(checkOutput(at("run.trec"), reads, "trec")).rejects.toThrow("firstStage reads");
    await expect(checkOutput(at("qrels.tsv"), reads, "trec")).rejects.toThrow("qrels reads");
    await expect(checkOutput(at("another.trec"), reads, "trec")).resolves.toBeUndefined();
  });

  it("is refused though it may be replaced, and is left as it is", async () => {
    const input = put("in.jsonl");
    const options = { forceNew: true, reads: [{ option: "input", path: input }] };
    await expect(RunOutput.open(input, SETTINGS, options)).rejects.toMatchObject({
      code: "conflict",
    });
    expect(readFileSync(input, "utf8")).toBe("precious\n");
  });

  it("is told by its file: a pipe and a folder are no output's twin", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    const reads = [
      { option: "input", path: at("pipe") },
      { option: "firstStage", path: at("nothing-there") },
    ];
    await expect(checkOutput(at("out.jsonl"), reads)).resolves.toBeUndefined();
  });
});

describe("the place of an output", () => {
  it("is the file that a link leads to, there or not", async () => {
    mkdirSync(at("far"));
    symlinkSync("far/out.jsonl", at("link.jsonl"));
    const file = await RunOutput.open(at("link.jsonl"), SETTINGS);
    await file.write([JSON.stringify({ id: "a", usage: { pairs: 1, tokens: 1, truncated: 0 } })]);
    await file.close(true);
    expect(file.paths).toEqual(outputPaths(at("far/out.jsonl")));
    expect(readFileSync(at("link.jsonl"), "utf8")).toBe(readFileSync(at("far/out.jsonl"), "utf8"));
  });

  it("is refused if its link leads to itself, or its name is that of a folder", async () => {
    symlinkSync("circle.jsonl", at("circle.jsonl"));
    await expect(checkOutput(at("circle.jsonl"), [])).rejects.toThrow("leads to itself");
    await expect(checkOutput(`${at("out.jsonl")}/`, [])).rejects.toThrow("name of a folder");
  });
});
