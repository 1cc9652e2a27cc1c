import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Spool } from "../../../src/core/ports/spool.js";
import type { InputRecord } from "../../../src/core/record.js";
import { openSpool } from "../../../src/outputs/spool/registry.js";
import { DAMAGE_KINDS, damaged } from "../../support/damage.js";
import { SeededRandom } from "../../support/random.js";
import { until } from "../../support/until.js";
import { collect } from "../inputs/support.js";

const RUN = "run-1";
const RECORDS = 10;
const IDS = Array.from({ length: RECORDS }, (_, i) => `id-${i}`);
const INPUT = IDS.map((id, i): InputRecord => {
  const request = { id, query: "q", documents: [{ text: "é text" }] };
  return { status: "valid", line: i + 1, request, bytes: 10, ignoredFields: [] };
});
const LINES = IDS.map((id) => rankingOf(id));
/** What is left at least: a line break that goes joins two lines, and a cut file may be empty. */
const LEAST = { flip: RECORDS - 2, cut: 0, repeat: 0 };
let folder: string;
let spool: Spool;

function rankingOf(id: string, model = "m"): string {
  const usage = { pairs: 1, tokens: 3, truncated: 0 };
  return JSON.stringify({ id, model, results: [], usage });
}

function pathOf(name: string): string {
  return join(folder, RUN, name);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-damage-"));
  spool = await openSpool(folder, {});
  await spool.put(RUN, Readable.from(INPUT));
  const output = await spool.openOutput(RUN, 1);
  await output.write(LINES);
  await output.fail([{ line: 1, code: "job_lost", reason: "r", input: {} }]);
  await output.close(false);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Holds whatever was damaged: each record once, and none as another than it was. */
async function expectNothingForeign(): Promise<{ valid: number; ranked: number }> {
  const found = await collect(spool.records(RUN, new Set()));
  expect(found).toHaveLength(RECORDS);
  expect(await spool.countRecords(RUN)).toBe(RECORDS);
  const valid = found.filter(({ status }) => status === "valid");
  for (const record of valid) expect(INPUT).toContainEqual(record);
  const failures = found.flatMap((one) => (one.status === "invalid" ? [one.failure.code] : []));
  expect(failures).toEqual(failures.map(() => "damaged"));
  const rankings = await collect(spool.rankings(RUN));
  expect(new Set(rankings).size).toBe(rankings.length);
  for (const line of rankings) expect(LINES).toContain(line);
  return { valid: valid.length, ranked: rankings.length };
}

describe("a spool whose files were damaged", () => {
  const files = ["records.jsonl", "records.sums", "rankings/1.jsonl", "rankings/1.sums"];

  it.each(DAMAGE_KINDS)("gives no record and no ranking that nobody wrote: %s", async (kind) => {
    const random = new SeededRandom(3);
    for (const name of files) {
      const path = pathOf(name);
      const whole = readFileSync(path);
      for (let round = 0; round < 8; round += 1) {
        writeFileSync(path, damaged(whole, kind, random));
        const { valid, ranked } = await expectNothingForeign();
        expect(Math.min(valid, ranked)).toBeGreaterThanOrEqual(LEAST[kind]);
        const next = await spool.openOutput(RUN, 2);
        expect(next.doneIds.size).toBe(ranked);
        await next.close(false);
      }
      writeFileSync(path, whole);
    }
    expect(readdirSync(pathOf("rankings")).sort()).toEqual(["1.failed", "1.jsonl", "1.sums"]);
  });

  it("leaves out failures that cannot be read", async () => {
    const path = pathOf("rankings/1.failed");
    const whole = readFileSync(path);
    const random = new SeededRandom(5);
    for (const kind of DAMAGE_KINDS) {
      writeFileSync(path, damaged(whole, kind, random));
      expect((await collect(spool.failures(RUN))).length).toBeLessThanOrEqual(1);
    }
  });

  it("gives no ranking of its output that nobody wrote, and ranks anew what is missing", async () => {
    const output = await spool.openOutput(RUN, 2);
    await output.close(true);
    for (const name of ["output.jsonl", "output.sums"]) {
      const path = pathOf(name);
      const whole = readFileSync(path);
      const random = new SeededRandom(4);
      for (const kind of DAMAGE_KINDS) {
        for (let round = 0; round < 5; round += 1) {
          writeFileSync(path, damaged(whole, kind, random));
          const { ranked } = await expectNothingForeign();
          expect(ranked).toBeGreaterThanOrEqual(LEAST[kind]);
        }
      }
      writeFileSync(path, whole);
    }
    const path = pathOf("output.jsonl");
    writeFileSync(path, readFileSync(path, "utf8").replace('"id-3"', '"id-4"'));
    await spool.reopen(RUN);
    const again = await spool.openOutput(RUN, 3);
    expect(again.doneIds).toEqual(new Set(IDS.filter((id) => id !== "id-3")));
    expect(again.damage).toEqual([expect.stringContaining("1 lines that are damaged or foreign")]);
    await again.close(false);
  });
});

/** Files of the spool that this process has open. */
function openFiles(): number {
  return readdirSync("/proc/self/fd", { withFileTypes: true }).filter((fd) => {
    try {
      return readlinkSync(join("/proc/self/fd", fd.name)).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

describe.runIf(process.platform === "linux")("a spool that was read", () => {
  it("leaves no file open, read to its end or not", async () => {
    for (let round = 0; round < 3; round += 1) {
      await collect(spool.records(RUN, new Set()));
      for await (const _ of spool.records(RUN, new Set())) break;
      for await (const _ of spool.rankings(RUN)) break;
      await spool.countRecords(RUN);
      const output = await spool.openOutput(RUN, 2 + round);
      await output.close(false);
    }
    await until("all files are closed", () => openFiles() === 0);
    expect(openFiles()).toBe(0);
  });
});

describe("a spool with files that no runner wrote", () => {
  it("skips them, and its next owner tells of each once", async () => {
    mkdirSync(pathOf("rankings/5.jsonl"));
    symlinkSync(pathOf("nowhere"), pathOf("rankings/6.jsonl"));
    writeFileSync(pathOf("rankings/notes.jsonl"), `${rankingOf("id-1", "forged")}\n`);
    writeFileSync(pathOf("rankings/0.jsonl"), `${rankingOf("id-1", "forged")}\n`);
    appendFileSync(pathOf("rankings/1.jsonl"), `${rankingOf("id-77", "forged")}\n`);
    execFileSync("mkfifo", [pathOf("rankings/7.jsonl")]);
    await expectNothingForeign();
    const output = await spool.openOutput(RUN, 8);
    const said = ["0.jsonl has no checksums", "1.jsonl has 1 lines", "5.jsonl is no file"];
    said.push("6.jsonl is no file", "7.jsonl is no file", "notes.jsonl is no file");
    expect(output.damage).toHaveLength(said.length);
    for (const text of said) expect(output.damage.join("\n")).toContain(text);
    expect(output.doneIds).toEqual(new Set(IDS));
    await output.close(true);
    expect((await collect(spool.rankings(RUN))).sort()).toEqual([...LINES].sort());
  });

  it("tells of ten at most, and how many more there are", async () => {
    for (let i = 0; i < 25; i += 1) writeFileSync(pathOf(`rankings/${i}.txt`), "");
    const output = await spool.openOutput(RUN, 2);
    expect(output.damage).toHaveLength(11);
    expect(output.damage.at(-1)).toBe("and 15 more");
    await output.close(false);
  });
});
