import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Manifest, type RunSettings } from "../../../src/outputs/manifest.js";
import { emptyCounts } from "../../../src/core/run-counts.js";
import { outputPaths } from "../../../src/outputs/output-paths.js";
import { RunOutput } from "../../../src/outputs/run-output.js";
import { SETTINGS } from "../../support/run-settings.js";

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
    expect(readdirSync(folder).sort()).toEqual(["out.jsonl", "out.manifest.json"]);
  });

  it("of nothing is an empty file", async () => {
    await (await start()).close(true);
    expect(readFileSync(output, "utf8")).toBe("");
  });

  it("leaves no failed file where nothing failed this time", async () => {
    const file = await start();
    await file.fail([{ line: 1, code: "invalid_json", reason: "r", input: "" }]);
    await file.close(true);
    expect(existsSync(outputPaths(output).failed)).toBe(true);
    await (await start()).close(true);
    expect(existsSync(outputPaths(output).failed)).toBe(false);
  });
});

describe("going on", () => {
  it("finds what is on disk and cuts off a torn line", async () => {
    const file = await start();
    await file.write([lineOf("a"), lineOf("b", 5)]);
    await file.close(false);
    const whole = readFileSync(`${output}.partial`, "utf8");
    appendFileSync(`${output}.partial`, lineOf("c").slice(0, 20));
    const again = await start();
    expect([...again.doneIds]).toEqual(["a", "b"]);
    expect(again.counts).toMatchObject({ done: 2, tokens: 8 });
    expect(again.before?.startedAt).toBe("then");
    expect(readFileSync(`${output}.partial`, "utf8")).toBe(whole);
    await again.write([lineOf("c")]);
    await again.close(true);
    expect(readFileSync(output, "utf8")).toBe(`${whole}${lineOf("c")}\n`);
  });

  it.each([1, 65_535, 65_536, 65_537, 200_000])(
    "cuts off a torn line of %i bytes",
    async (tornBytes) => {
      const file = await start();
      await file.write([lineOf("a")]);
      await file.close(false);
      appendFileSync(`${output}.partial`, "x".repeat(tornBytes));
      expect([...(await start()).doneIds]).toEqual(["a"]);
      expect(readFileSync(`${output}.partial`, "utf8")).toBe(`${lineOf("a")}\n`);
    },
  );

  it("starts from nothing where even the first line is torn", async () => {
    const file = await start();
    await file.close(false);
    writeFileSync(`${output}.partial`, "x".repeat(100_000));
    expect((await start()).doneIds.size).toBe(0);
    expect(readFileSync(`${output}.partial`, "utf8")).toBe("");
  });

  it("leaves a finished output where it is until there is something new", async () => {
    await complete("a");
    const again = await start();
    expect([...again.doneIds]).toEqual(["a"]);
    expect(existsSync(output)).toBe(true);
    await again.write([lineOf("b")]);
    expect(existsSync(output)).toBe(false);
    await again.close(true);
    expect(readFileSync(output, "utf8")).toBe(`${lineOf("a")}\n${lineOf("b")}\n`);
    expect(existsSync(`${output}.partial`)).toBe(false);
  });

  it("is no matter after a start that came to nothing", async () => {
    writeFileSync(`${output}.partial`, "");
    const file = await start();
    expect(file.before).toBeUndefined();
    await file.close(true);
    expect(readFileSync(output, "utf8")).toBe("");
  });
});

describe("an output that is not this run's", () => {
  it("is refused where its settings differ, each by name", async () => {
    await complete("a");
    const other: RunSettings = {
      ...SETTINGS,
      model: { ...SETTINGS.model, precision: "int8" },
      topN: 5,
    };
    await expect(RunOutput.open(output, other)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /model\.precision was fp32, is int8; topN was null, is 5.*forceNew/,
      ),
    });
    const file = await start(other, true);
    expect(file.doneIds.size).toBe(0);
    expect(existsSync(output)).toBe(false);
    await file.close(true);
  });

  it("is refused where nothing says how it was made", async () => {
    writeFileSync(output, "precious\n");
    await expect(RunOutput.open(output, SETTINGS)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("no out.manifest.json beside it"),
    });
    expect(readFileSync(output, "utf8")).toBe("precious\n");
    expect(readdirSync(folder)).toEqual(["out.jsonl"]);
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
  ])("is left alone where %s would lie, even if all may be replaced", async (name, text) => {
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
    expect([...(await start()).doneIds]).toEqual(["a"]);
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
