import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { Readable } from "node:stream";
import { mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Manifest, type RunSettings } from "../../../src/outputs/manifest.js";
import type { RerankRequest } from "../../../src/core/contract.js";
import type { InputRecord } from "../../../src/core/record.js";
import { SeededRandom } from "../../support/random.js";
import { emptyCounts } from "../../../src/core/run-counts.js";
import { outputPaths } from "../../../src/outputs/output-paths.js";
import { RunOutput } from "../../../src/outputs/run-output.js";
import { SETTINGS } from "../../support/run-settings.js";
import { longTests } from "../../support/needs.js";

let folder: string;
let output: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-test-output-"));
  output = join(folder, "out.jsonl");
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function lineOf(id: string, tokens = 3): string {
  return JSON.stringify({ id, results: [], usage: { pairs: 1, tokens, truncated: 0 } });
}

function manifestOf(file: RunOutput, state: Manifest["state"]): Manifest {
  return {
    rankmill: "0.0.0",
    schema: 1,
    state,
    input: "in",
    output,
    settings: SETTINGS,
    counts: file.counts,
    redis: "none",
    startedAt: file.before?.startedAt ?? "then",
  };
}

async function start(settings = SETTINGS, forceNew = false): Promise<RunOutput> {
  const file = await RunOutput.open(output, settings, { forceNew });
  await file.writeManifest(manifestOf(file, "running"));
  return file;
}

async function complete(...ids: string[]): Promise<void> {
  const file = await start();
  await file.write(ids.map((id) => lineOf(id)));
  await file.close(true);
}

describe("the output of a run", () => {
  it("says in one line that the disk filled up under way, and how to go on", async () => {
    const file = await start();
    const any = await open(join(folder, "any"), "w");
    await any.close();
    const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
    vi.spyOn(Object.getPrototypeOf(any) as FileHandle, "appendFile").mockRejectedValueOnce(full);
    await expect(file.write([lineOf("a")])).rejects.toMatchObject({
      name: "RankmillError",
      message: expect.stringMatching(
        /out\.jsonl: the disk is full \(ENOSPC\): .*run again to go on/,
      ) as unknown,
    });
    expect(file.counts.done).toBe(0);
    await file.close(false);
  });

  it("grows under a name of its own and appears whole", async () => {
    const file = await start();
    await file.write([lineOf("a"), lineOf("b")]);
    await file.flush();
    expect(existsSync(output)).toBe(false);
    expect(readFileSync(`${output}.partial`, "utf8")).toBe(`${lineOf("a")}\n${lineOf("b")}\n`);
    expect(file.counts).toEqual({ ...emptyCounts(), done: 2, pairs: 2, tokens: 6 });
    await file.close(true);
    expect(readdirSync(folder).sort()).toEqual([
      "out.jsonl",
      "out.jsonl.sums",
      "out.manifest.json",
    ]);
  });

  it("is an empty file for an empty input", async () => {
    await (await start()).close(true);
    expect(readFileSync(output, "utf8")).toBe("");
  });

  it("leaves no failed file if nothing failed this time", async () => {
    const file = await start();
    await file.fail([{ line: 1, code: "invalid_json", reason: "r", input: "" }]);
    await file.close(true);
    expect(existsSync(outputPaths(output).failed)).toBe(true);
    await (await start()).close(true);
    expect(existsSync(outputPaths(output).failed)).toBe(false);
  });
});

describe("an output that a run goes on with", () => {
  it("keeps what is on disk and loses a torn line", async () => {
    const file = await start();
    await file.write([lineOf("a"), lineOf("b", 5)]);
    await file.close(false);
    const whole = readFileSync(`${output}.partial`, "utf8");
    appendFileSync(`${output}.partial`, lineOf("c").slice(0, 20));
    const again = await start();
    expect([...again.done.digests.keys()]).toEqual(["a", "b"]);
    expect(again.counts).toMatchObject({ done: 2, tokens: 8 });
    expect(again.before?.startedAt).toBe("then");
    expect(readFileSync(`${output}.partial`, "utf8")).toBe(whole);
    await again.write([lineOf("c")]);
    await again.close(true);
    expect(readFileSync(output, "utf8")).toBe(`${whole}${lineOf("c")}\n`);
  });

  it.each([1, 65_535, 65_536, 65_537, 200_000])(
    "loses a torn line of %i bytes",
    async (tornBytes) => {
      const file = await start();
      await file.write([lineOf("a")]);
      await file.close(false);
      appendFileSync(`${output}.partial`, "x".repeat(tornBytes));
      expect([...(await start()).done.digests.keys()]).toEqual(["a"]);
      expect(readFileSync(`${output}.partial`, "utf8")).toBe(`${lineOf("a")}\n`);
    },
  );

  it("starts from nothing if even the first line is torn", async () => {
    const file = await start();
    await file.close(false);
    writeFileSync(`${output}.partial`, "x".repeat(100_000));
    expect((await start()).done.digests.size).toBe(0);
    expect(readFileSync(`${output}.partial`, "utf8")).toBe("");
  });

  it("stays where it is, finished, until there is something new", async () => {
    await complete("a");
    const again = await start();
    expect([...again.done.digests.keys()]).toEqual(["a"]);
    expect(existsSync(output)).toBe(true);
    await again.write([lineOf("b")]);
    expect(existsSync(output)).toBe(false);
    await again.close(true);
    expect(readFileSync(output, "utf8")).toBe(`${lineOf("a")}\n${lineOf("b")}\n`);
    expect(existsSync(`${output}.partial`)).toBe(false);
  });

  it("is not affected by a start that came to nothing", async () => {
    writeFileSync(`${output}.partial`, "");
    const file = await start();
    expect(file.before).toBeUndefined();
    await file.close(true);
    expect(readFileSync(output, "utf8")).toBe("");
  });
});

describe("an output that is not this run's", () => {
  it("is refused if its settings differ, each by name", async () => {
    await complete("a");
    const other: RunSettings = {
      ...SETTINGS,
      model: { ...SETTINGS.model, precision: "int8" },
      topN: 5,
    };
    await expect(RunOutput.open(output, other)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /model\.precision was fp32, is int8; topN was not set, is 5.*forceNew/,
      ),
    });
    const file = await start(other, true);
    expect(file.done.digests.size).toBe(0);
    expect(existsSync(output)).toBe(false);
    await file.close(true);
  });

  it("is refused if nothing says how it was made", async () => {
    writeFileSync(output, "precious\n");
    await expect(RunOutput.open(output, SETTINGS)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("no out.manifest.json beside it"),
    });
    expect(readFileSync(output, "utf8")).toBe("precious\n");
    expect(readdirSync(folder)).toEqual(["out.jsonl"]);
  });

  it("says which version wrote a manifest that this one cannot read", async () => {
    await complete("a");
    const later = '{"rankmill":"99.1.0","state":"paused","input":"a","output":"b","settings":{}}';
    writeFileSync(outputPaths(output).manifest, later);
    await expect(RunOutput.open(output, SETTINGS)).rejects.toThrow(
      /rankmill 99\.1\.0 wrote it, and this is \d/,
    );
  });

  it.each(["{}", "null", "[]", '"x"', "{", '{"rankmill":"1","settings":{"model":3}}'])(
    "is refused in one line if its manifest is %s, and can be started over",
    async (text) => {
      await complete("a");
      writeFileSync(outputPaths(output).manifest, text);
      await expect(RunOutput.open(output, SETTINGS)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringMatching(/out\.manifest\.json is no manifest of a run \(.+\): /),
      });
      expect(readFileSync(output, "utf8")).toBe(`${lineOf("a")}\n`);
      await (await start(SETTINGS, true)).close(true);
    },
  );
});

describe("a file of somebody else", () => {
  it.each([
    ["out.manifest.json", '{"name":"An app","icons":[]}'],
    ["out.failed.jsonl", '{"id":"a","query":"mended","documents":["d"]}\n'],
    ["out.failed.jsonl", "notes of mine\n"],
    ["out.jsonl.partial", "half a download"],
    ["out.jsonl.lock", "the lock of another program"],
  ])("is left alone in the place of %s, even if all may be replaced", async (name, text) => {
    writeFileSync(join(folder, name), text);
    for (const forceNew of [false, true]) {
      await expect(RunOutput.open(output, SETTINGS, { forceNew })).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining(name),
      });
    }
    expect(readFileSync(join(folder, name), "utf8")).toBe(text);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it("is left alone beside an output that is complete", async () => {
    await complete("a");
    const mended = '{"id":"b","query":"mended","documents":["d"]}\n';
    writeFileSync(outputPaths(output).failed, mended);
    await expect(RunOutput.open(output, SETTINGS)).rejects.toMatchObject({ code: "conflict" });
    expect(readFileSync(outputPaths(output).failed, "utf8")).toBe(mended);
  });
});

describe("outputs whose names are alike", () => {
  it.each([false, true])("do not share a manifest, forced %s", async (forceNew) => {
    await complete("a");
    const other = join(folder, "out");
    await expect(RunOutput.open(other, SETTINGS, { forceNew })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("belongs to the output out.jsonl"),
    });
    expect([...(await start()).done.digests.keys()]).toEqual(["a"]);
  });

  it("do not take each other for failed records", async () => {
    const name = join(folder, "out.failed.jsonl");
    const other = await RunOutput.open(name, SETTINGS);
    await other.writeManifest({ ...manifestOf(other, "complete"), output: name });
    await other.close(true);
    await expect(RunOutput.open(output, SETTINGS, { forceNew: true })).rejects.toMatchObject({
      message: expect.stringContaining("is the output of another run"),
    });
    expect(existsSync(name)).toBe(true);
  });
});

function requestOf(id: string, text: string): RerankRequest {
  return { id, query: "q", documents: [{ text }] };
}

/** Ranks what has no ranking yet, as a run does. @returns the ids that were ranked */
async function rank(requests: readonly RerankRequest[], by = "someone"): Promise<string[]> {
  const file = await start();
  const ranked: string[] = [];
  for await (const record of file.unranked(Readable.from(requests.map(recordOf)))) {
    if (record.status !== "valid") continue;
    const { id } = record.request;
    ranked.push(id);
    await file.write([rankedBy(id, by)]);
  }
  await file.close(true);
  return ranked;
}

function recordOf(request: RerankRequest): InputRecord {
  return { status: "valid", line: 1, request, bytes: 1, ignoredFields: [] };
}

function rankedBy(id: string, model: string): string {
  return JSON.stringify({ id, model, results: [], usage: { pairs: 1, tokens: 3, truncated: 0 } });
}

describe("records that are known by id", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => requestOf(id, "text")) as [
    RerankRequest,
    RerankRequest,
    RerankRequest,
  ];

  it("are ranked anew if they have changed, and only then", async () => {
    expect(await rank([a, b], "first")).toEqual(["a", "b"]);
    expect(await rank([a, b, c], "second")).toEqual(["c"]);
    const changed = [
      requestOf("a", "another text"),
      { ...b, topN: 1 },
      { ...c, metadata: { other: 1 } },
    ];
    expect(await rank(changed, "third")).toEqual(["a", "b", "c"]);
    expect(readFileSync(output, "utf8")).toBe(
      ["a", "b", "c"].map((id) => `${rankedBy(id, "third")}\n`).join(""),
    );
    expect(await rank(changed, "fourth")).toEqual([]);
  });

  it("have one ranking though the run was killed after it had changed", async () => {
    await rank([a, b], "first");
    const killed = await start();
    const changed = [recordOf(requestOf("a", "another text"))];
    for await (const _ of killed.unranked(Readable.from(changed))) {
      await killed.write([rankedBy("a", "second")]);
    }
    await killed.flush();
    await killed.unlock();
    const next = await start();
    expect([...next.done.digests.keys()].sort()).toEqual(["a", "b"]);
    expect(next.done).toMatchObject({ twice: 1, damaged: 0 });
    expect(next.counts.done).toBe(2);
    await next.close(true);
    expect(readFileSync(output, "utf8").split("\n").filter(Boolean).sort()).toEqual([
      rankedBy("a", "second"),
      rankedBy("b", "first"),
    ]);
  });

  it("lose their ranking if they fail now", async () => {
    await rank([a, b]);
    const file = await start();
    await file.fail([{ line: 1, id: "a", code: "invalid_field", reason: "r", input: {} }]);
    await file.close(true);
    expect(readFileSync(output, "utf8")).toBe(`${rankedBy("b", "someone")}\n`);
    expect(file.counts).toMatchObject({ done: 1, failed: 1 });
  });

  it("are told if the input has them no longer", async () => {
    await rank([a, b]);
    const file = await start();
    for await (const _ of file.unranked(Readable.from([recordOf(b)]))) throw new Error("ranked");
    expect(file.notes(true).join()).toContain("1 ranking of records");
    await file.close(true);
  });
});

const ROUNDS = longTests.isMet ? 60 : 20;

describe("an output that was damaged", () => {
  const requests = Array.from({ length: 20 }, (_, i) => requestOf(`id-${i}`, "text"));

  it.each(["out.jsonl", "out.jsonl.sums"])(
    "costs a record per flipped byte of %s, wherever it lies, and never more",
    async (name) => {
      await rank(requests);
      const random = new SeededRandom(11);
      const whole = readFileSync(output);
      for (let round = 0; round < ROUNDS; round += 1) {
        const path = join(folder, name);
        const bytes = readFileSync(path);
        const at = Math.floor(random.next() * bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random.next() * 8));
        writeFileSync(path, bytes);
        // A line break that goes takes the line after it along.
        expect((await rank(requests)).length).toBeLessThanOrEqual(2);
        const lines = readFileSync(output, "utf8").split("\n").filter(Boolean);
        expect(lines.sort()).toEqual(whole.toString().split("\n").filter(Boolean).sort());
      }
    },
  );

  it("has each record once though lines stand there twice, or two outputs were joined", async () => {
    await rank(requests);
    const whole = readFileSync(output, "utf8");
    appendFileSync(output, whole.slice(0, whole.indexOf("\n") + 1));
    appendFileSync(output, whole);
    const file = await start();
    expect(file.done).toMatchObject({ twice: 21, damaged: 0 });
    await file.close(true);
    expect(readFileSync(output, "utf8").split("\n").filter(Boolean)).toHaveLength(20);
  });

  it("is cut anywhere, and goes on from there", async () => {
    await rank(requests);
    const whole = readFileSync(output);
    for (let bytes = 0; bytes < whole.length; bytes += 61) {
      writeFileSync(output, whole.subarray(0, bytes));
      await rank(requests);
      expect(readFileSync(output)).toHaveLength(whole.length);
    }
  });

  it("is known by id if it has no sums, and is given sums once it goes on", async () => {
    await rank(requests);
    rmSync(`${output}.sums`);
    expect(await rank([requestOf("id-0", "changed"), requestOf("new", "text")])).toEqual(["new"]);
    expect(await rank(requests)).toEqual([]);
    expect(await rank([requestOf("new", "changed")])).toEqual(["new"]);
  });

  it.each([
    '{"id":7,"results":[],"usage":{"pairs":1,"tokens":1,"truncated":0}}',
    '{"id":"x","results":[],"usage":{"pairs":"x","tokens":1,"truncated":0}}',
    '{"id":"x","usage":{"pairs":1,"tokens":1,"truncated":0}}',
    '{"id":"x","results":[],"usage":{"pairs":1,"tokens":1,"truncated":0}}',
    "null",
  ])("is never joined by a line that no run wrote: %s", async (line) => {
    await rank(requests);
    appendFileSync(output, `${line}\n`);
    const file = await start();
    expect(file.done.damaged).toBe(1);
    expect(file.done.digests.has("x")).toBe(false);
    expect(file.counts.done).toBe(20);
    await file.close(true);
  });
});
