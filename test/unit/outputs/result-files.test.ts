import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RecordFailure } from "../../../src/core/record.js";
import { ResultFiles } from "../../../src/outputs/result-files.js";
import { RunOutput } from "../../../src/outputs/run-output.js";
import { SETTINGS } from "../../support/run-settings.js";

const FAILURE: RecordFailure = { line: 2, id: "b", code: "cancelled", reason: "r", input: {} };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-results-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lineOf(id: string): string {
  return JSON.stringify({ id, results: [], usage: { pairs: 1, tokens: 3, truncated: 0 } });
}

describe("the results of a submitted run", () => {
  it("appear whole, and not before they are closed", async () => {
    const files = await ResultFiles.open(join(folder, "o.jsonl"), "run-1");
    await files.write([lineOf("a")]);
    await files.fail([FAILURE]);
    expect(readdirSync(folder)).not.toContain("o.jsonl");
    await files.close();
    expect(readdirSync(folder).sort()).toEqual(["o.failed.jsonl", "o.jsonl", "o.manifest.json"]);
  });

  it("replace those of before, failed ones too", async () => {
    for (const id of ["first", "second"]) {
      const files = await ResultFiles.open(join(folder, "o.jsonl"), "run-1");
      await files.write([lineOf(id)]);
      if (id === "first") await files.fail([FAILURE]);
      await files.close();
    }
    expect(readdirSync(folder).sort()).toEqual(["o.jsonl", "o.manifest.json"]);
    expect(readFileSync(join(folder, "o.jsonl"), "utf8")).toBe(`${lineOf("second")}\n`);
  });

  it("leave what was there before, and nothing else, if they are discarded", async () => {
    const before = await ResultFiles.open(join(folder, "o.jsonl"), "run-1");
    await before.write([lineOf("before")]);
    await before.close();
    const files = await ResultFiles.open(join(folder, "o.jsonl"), "run-1");
    await files.write([lineOf("after")]);
    await files.fail([FAILURE]);
    await files.discard();
    expect(readdirSync(folder).sort()).toEqual(["o.jsonl", "o.manifest.json"]);
    expect(readFileSync(join(folder, "o.jsonl"), "utf8")).toBe(`${lineOf("before")}\n`);
  });

  it.each(["o.jsonl", "o.jsonl.partial", "o.failed.jsonl", "o.manifest.json"])(
    "do not replace a file %s that they did not write",
    async (name) => {
      const text = '{"mine":true}\n';
      writeFileSync(join(folder, name), text);
      await expect(ResultFiles.open(join(folder, "o.jsonl"), "run-1")).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining(name),
      });
      expect(readdirSync(folder)).toEqual([name]);
      expect(readFileSync(join(folder, name), "utf8")).toBe(text);
    },
  );

  it("do not replace those of another run, nor does a run from file to file", async () => {
    const output = join(folder, "o.jsonl");
    const files = await ResultFiles.open(output, "run-1");
    await files.write([lineOf("a")]);
    await files.close();
    await expect(ResultFiles.open(output, "run-2")).rejects.toMatchObject({ code: "conflict" });
    await expect(RunOutput.open(output, SETTINGS)).rejects.toThrow("results of run run-1");
    expect(readFileSync(output, "utf8")).toBe(`${lineOf("a")}\n`);
  });
});
