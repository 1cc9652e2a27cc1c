/** A precision that the command line chooses by itself. Errors are measured; speeds are held by kept calibrations. */
import { cp, rm } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calibrationKey, writeCalibration } from "../../src/capacity/measure/calibration-file.js";
import { readCpuFeatures } from "../../src/inference/host/cpu-features.js";
import { usableCores } from "../../src/inference/host/host.js";
import { runtimeOf } from "../../src/inference/runtime/registry.js";
import { resolveModel } from "../../src/models/resolve.js";
import { packageRoot } from "../../src/platform/package-root.js";
import { CALIBRATION } from "../support/calibration.js";
import { Bench, BERT, rerank, words, type CliExit } from "../support/cli.js";
import { given, longTests } from "../support/needs.js";
import { readManifest, writeRecords } from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";

const USAGE = 2;
const MIB = 1024 * 1024;
const RECORDS = ["one", "two", "three"].map((id) => ({
  id,
  query: `what is ${id}`,
  documents: [`${id} is a number`, "nothing of the kind"],
}));
const USUAL =
  "--precision auto --runtime onnxruntime --prepared-dir prepared --calibration-dir calibration";

let bench: Bench;

/** Keeps a speed for a precision, as if it had been measured here. */
async function keepSpeed(precision: "fp32" | "int8" | "w8", pairsPerSecond: number): Promise<void> {
  const { digest, form } = await resolveModel(bench.path("model"), {
    packageRoot: packageRoot(),
    precision,
  });
  const cores = await usableCores();
  const key = calibrationKey({
    modelDigest: digest,
    precision,
    form,
    prepared: form !== undefined,
    runtime: await runtimeOf("onnxruntime").version(),
    cpu: await readCpuFeatures(),
    cores,
  });
  const lengths = [16, 64, 128];
  await writeCalibration(bench.path("calibration"), {
    ...CALIBRATION,
    key,
    lane: { readyBytes: 60 * MIB, openPeakBytes: 60 * MIB },
    activation: lengths.map((length) => ({ rows: 1, length, value: length * 1_000 })),
    timing: lengths.map((length) => ({
      rows: 1,
      length,
      value: (1_000 * length) / 64 / pairsPerSecond,
    })),
    rows: [],
    rowsKeepBits: false,
    layouts: [{ lanes: 1, threads: Math.max(1, cpus().length), pairsPerSecond }],
  });
}

beforeAll(async () => {
  bench = await Bench.open(hasRealRedis ? {} : { PATH: "" });
  writeRecords(bench.path("some.jsonl"), RECORDS.slice(0, 2));
  writeRecords(bench.path("more.jsonl"), RECORDS);
  await cp(BERT, bench.path("model"), { recursive: true });
  await rm(join(bench.path("model"), "onnx/model_fp16.onnx"));
  await keepSpeed("fp32", 100);
  await keepSpeed("w8", 50);
  await keepSpeed("int8", 400);
});

afterAll(async () => {
  await bench.close();
});

async function run(input: string, output: string, more: string): Promise<CliExit> {
  const usual = `${USUAL} --int8-form rows ${more}`;
  return await bench.run(rerank(input, output, usual, bench.path("model")));
}

function numbersIn(output: string): unknown {
  return readManifest(bench.path(output.replace("jsonl", "manifest.json"))).settings["model"];
}

describe("a run with --precision auto", () => {
  it("takes int8 if it is faster and may err as much, and says so in one line", async () => {
    const exit = await run("some.jsonl", "loose.jsonl", "--max-score-error 0.5");
    expect(exit.code, exit.stderr).toBe(0);
    expect(numbersIn("loose.jsonl")).toMatchObject({ precision: "int8", form: "rows" });
    expect(exit.stderr).toMatch(
      /precision auto: int8-rows on ONNX Runtime, 4\.00 times as fast as fp32 here; .* \(allowed: 0\.5\)\n/,
    );
  });

  it("takes fp32 if int8 errs more than it may, however fast it is", async () => {
    const exit = await run("some.jsonl", "tight.jsonl", "--max-score-error 0.0001");
    expect(exit.code, exit.stderr).toBe(0);
    expect(numbersIn("tight.jsonl")).toMatchObject({ precision: "fp32" });
    expect(numbersIn("tight.jsonl")).not.toHaveProperty("form");
  });

  it("goes on with an output in the precision that it has, whatever it would choose now", async () => {
    const exit = await run("more.jsonl", "loose.jsonl", "--max-score-error 0.0001");
    expect(exit.code, exit.stderr).toBe(0);
    expect(exit.stderr).toContain("precision auto: int8-rows, as the rankings that are there");
    expect(exit.stderr).toContain("2 records are ranked already");
    expect(numbersIn("loose.jsonl")).toMatchObject({ precision: "int8", form: "rows" });
  });

  it("refuses a bound on errors with a precision that nobody measures", async () => {
    const command = rerank(
      "some.jsonl",
      "named.jsonl",
      "--max-score-error 0.5",
      bench.path("model"),
    );
    const exit = await bench.run([...command, "--precision", "int8"]);
    expect(exit.code).toBe(2);
    expect(exit.stderr).toContain(
      "--max-score-error 0.5 goes with --precision auto, not with --precision int8",
    );
  });

  it("shows in a dry run what each precision would take, and which one is chosen", async () => {
    const asked = `${USUAL} --int8-form rows --max-score-error 0.5 --dry-run --json`;
    const model = bench.path("model");
    const exit = await bench.run(["run", "some.jsonl", "--model", model, ...words(asked)]);
    expect(exit.code, exit.stderr).toBe(0);
    const { ways } = JSON.parse(exit.stdout) as { readonly ways: readonly Row[] };
    const rows = new Map(ways.map((row) => [`${row.precision}-${row.form ?? "own"}`, row]));
    expect([...rows.keys()].toSorted()).toEqual(["fp32-own", "int8-rows", "w8-made"]);
    const [fp32, int8] = [rows.get("fp32-own"), rows.get("int8-rows")];
    expect(int8?.chosen).toBe(true);
    expect(fp32).toMatchObject({ chosen: false, error: 0 });
    expect((int8?.pairsPerSecond ?? 0) / (fp32?.pairsPerSecond ?? 1)).toBeCloseTo(4);
    expect(int8?.error).toBeGreaterThan(0);
    expect(fp32?.memoryBytes).toBeGreaterThan(60 * MIB);
  });

  it("is compared with others in a dry run alone", async () => {
    const exit = await bench.ask(words("run some.jsonl --model builtin-bm25 --compare"));
    expect(exit.code).toBe(USAGE);
    expect(exit.stderr).toContain("--compare: shows what a run would take: give --dry-run too");
  });

  it("is refused in one line if nothing is to be measured", async () => {
    const exit = await run("some.jsonl", "none.jsonl", "--no-calibrate");
    expect(exit.code).toBe(USAGE);
    expect(exit.stderr).toContain("--no-calibrate: ways to compute a model are compared");
  });

  it("is refused without an fp32 file, with what to do", async () => {
    await cp(bench.path("model"), bench.path("int8-only"), { recursive: true });
    await rm(join(bench.path("int8-only"), "onnx/model.onnx"));
    const args = ["--precision", "auto", "--model", bench.path("int8-only")];
    const exit = await bench.run(["run", "some.jsonl", "--output", "no.jsonl", ...args]);
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toContain(
      "--precision auto compares with the fp32 file, and it cannot be used",
    );
    expect(exit.stderr).toContain("or name a precision");
  });
});

describe("what a host knows of a model", () => {
  it(
    "is shown beside its check, with the speed and the error of each precision",
    given(longTests),
    async () => {
      const more = words(`${USUAL} --int8-form rows --max-score-error 0.5 --json`);
      const exit = await bench.run(["models", "verify", bench.path("model"), ...more]);
      const { ways, precision } = JSON.parse(exit.stdout) as {
        readonly ways: readonly Row[];
        readonly precision: string;
      };
      expect(precision).toBe("int8-rows");
      const speeds = ways.map((row) => row.pairsPerSecond).toSorted((a, b) => a - b);
      // As many lanes as there are cores.
      expect(speeds.map((speed) => speed / (speeds[0] ?? Number.NaN))).toEqual([1, 2, 8]);
      expect(ways.filter(({ error }) => error > 0).length).toBe(2);
    },
  );

  it("is nothing of a model that is not here, and recommend names the command that measures it", async () => {
    const line = "models recommend --language en --device cpu --for bulk --json --models-dir none";
    const exit = await bench.ask(words(line));
    expect(exit.code, exit.stderr).toBe(0);
    expect(JSON.parse(exit.stdout)).toMatchObject({
      ways: [],
      measured_by: expect.stringMatching(/^rankmill models verify \S+ --precision auto$/) as string,
    });
  });
});

interface Row {
  readonly precision: string;
  readonly form: string | null;
  readonly chosen: boolean;
  readonly error: number;
  readonly pairsPerSecond: number;
  readonly memoryBytes: number;
}
