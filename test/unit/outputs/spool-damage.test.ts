import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { InputRecord } from "../../../src/core/record.js";
import { openSpool } from "../../../src/outputs/spool/registry.js";
import { SeededRandom } from "../../support/random.js";
import { collect } from "../inputs/support.js";

const RUN = "run-1";
const RECORDS = 10;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rankmill-test-damage-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function flip(path: string, random: SeededRandom): void {
  const bytes = readFileSync(path);
  const at = Math.floor(random.next() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random.next() * 8));
  writeFileSync(path, bytes);
}

describe("a spool whose files were damaged", () => {
  it("gives every other record and ranking, and never throws", async () => {
    const spool = await openSpool(folder, {});
    const ids = Array.from({ length: RECORDS }, (_, i) => `id-${i}`);
    const records = ids.map((id, i): InputRecord => {
      const request = { id, query: "q", documents: [{ text: "é text" }] };
      return { status: "valid", line: i + 1, request, bytes: 10, ignoredFields: [] };
    });
    await spool.put(RUN, Readable.from(records));
    const output = await spool.openOutput(RUN, 1);
    const usage = { pairs: 1, tokens: 3, truncated: 0 };
    await output.write(ids.map((id) => JSON.stringify({ id, model: "m", results: [], usage })));
    await output.fail([{ line: 1, code: "job_lost", reason: "r", input: {} }]);
    await output.close(false);
    const files = ["records.jsonl", "rankings/1.jsonl", "rankings/1.failed"];
    const paths = files.map((name) => join(folder, RUN, name));
    const whole = paths.map((path) => readFileSync(path));
    const random = new SeededRandom(3);
    for (let round = 0; round < 200; round += 1) {
      paths.forEach((path, i) => {
        writeFileSync(path, whole[i] ?? "");
        flip(path, random);
      });
      const found = await collect(spool.records(RUN, new Set()));
      expect(found.length).toBeGreaterThanOrEqual(RECORDS - 1);
      // A line break that goes joins two lines.
      expect(found.filter(({ status }) => status === "valid").length).toBeGreaterThanOrEqual(
        RECORDS - 2,
      );
      expect((await collect(spool.rankings(RUN))).length).toBeGreaterThanOrEqual(RECORDS - 2);
      await collect(spool.failures(RUN));
      const next = await spool.openOutput(RUN, 2);
      await next.close(false);
      rmSync(join(folder, RUN, "rankings/2.jsonl"));
      rmSync(join(folder, RUN, "rankings/2.failed"));
    }
  });
});
