import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RecordFailure } from "../../../src/core/record.js";
import { ResultFiles } from "../../../src/outputs/result-files.js";

const FAILURE: RecordFailure = { line: 2, id: "b", code: "cancelled", reason: "r", input: {} };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-results-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the results of a submitted run", () => {
  it("appear whole, with failures beside", async () => {
    const files = await ResultFiles.open(join(folder, "o.jsonl"), new PassThrough(), () => {});
    // More than a stream takes at once.
    for (let i = 0; i < 50; i += 1) await files.write("x".repeat(10_000));
    await files.fail(FAILURE);
    expect(readdirSync(folder)).not.toContain("o.jsonl");
    await files.close();
    expect(readdirSync(folder).sort()).toEqual(["o.failed.jsonl", "o.jsonl"]);
    expect(readFileSync(join(folder, "o.jsonl"), "utf8")).toBe(
      `${"x".repeat(10_000)}\n`.repeat(50),
    );
    expect(JSON.parse(readFileSync(join(folder, "o.failed.jsonl"), "utf8"))).toEqual(FAILURE);
    expect([files.written, files.failed]).toEqual([50, 1]);
  });

  it("replace those of before, failed ones too", async () => {
    for (const fails of [true, false]) {
      const files = await ResultFiles.open(join(folder, "o.jsonl"), new PassThrough(), () => {});
      await files.write(String(fails));
      if (fails) await files.fail(FAILURE);
      await files.close();
    }
    expect(readdirSync(folder)).toEqual(["o.jsonl"]);
    expect(readFileSync(join(folder, "o.jsonl"), "utf8")).toBe("false\n");
  });

  it("go to a stream, and its failures to whoever listens", async () => {
    const stdout = new PassThrough();
    const failures: RecordFailure[] = [];
    const files = await ResultFiles.open("-", stdout, (failure) => failures.push(failure));
    await files.write("line");
    await files.fail(FAILURE);
    await files.close();
    expect(stdout.read()?.toString()).toBe("line\n");
    expect(stdout.writableEnded).toBe(false);
    expect(failures).toEqual([FAILURE]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
