/** Models that an earlier version pulled, prepared and measured: this one uses them, or refuses. */
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { HUB_COMMIT, HUB_MODEL, hubFiles, unigramModel } from "../fixtures/kept/models.js";
import { Bench, BERT, rerank, words, type CliExit } from "../support/cli.js";
import { expectRefusal, Kept, keptVersions } from "../support/kept.js";
import { hostOf, isEqual, preparedManifest } from "../support/kept-host.js";
import { writeRecords } from "../support/records.js";
import { hasRealRedis } from "../support/redis-server.js";
import { given, longTests } from "../support/needs.js";

const USAGE = 2;

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.open(hasRealRedis ? {} : { PATH: "" });
});

afterEach(async () => {
  await bench.close();
});

const calibration = z.looseObject({ key: z.string(), host: z.string() });
const prepareReport = z.object({ key: z.string(), reused: z.boolean(), prepare_ms: z.number() });

async function prepare(): Promise<{ report: z.infer<typeof prepareReport>; stderr: string }> {
  const command = `models prepare ${BERT} --prepared-dir prepared --calibrate --calibration-dir measured`;
  const exit = await bench.run(words(`${command} --json`));
  expect(exit.code, exit.stderr).toBe(0);
  return { report: prepareReport.parse(JSON.parse(exit.stdout)), stderr: exit.stderr };
}

async function runPulled(): Promise<CliExit> {
  const more = "--models-dir models --no-prepare --no-calibrate";
  return await bench.run(rerank("in.jsonl", "out.jsonl", more, HUB_MODEL));
}

describe.each(keptVersions)("prepared models of version %s", (version) => {
  const kept = new Kept(version);
  const old = kept.read("prepared/prepared.json", preparedManifest);
  const measured = kept.read("prepared/calibration.json", calibration);

  it("a prepared model and its calibration have the same names on the same kind of host", async () => {
    const { report } = await prepare();
    const manifest = readJson(`prepared/${report.key}/prepared.json`, preparedManifest);
    expect(report.key === old.key).toBe(isEqual(hostOf(manifest), hostOf(old)));
    const [name = ""] = readdirSync(bench.path("measured"));
    const now = readJson(`measured/${name}`, calibration);
    expect(name).toBe(`${now.key}.json`);
    const sameMachine = now.host === measured.host && manifest.runtime === old.runtime;
    expect(now.key === measured.key).toBe(sameMachine);
  });

  it("a model that another version prepared is used, and is not measured again", async () => {
    // Files and names are this host's, what is said of them is the earlier version's.
    const { key } = (await prepare()).report;
    const path = `prepared/${key}/prepared.json`;
    const { files } = readJson(path, preparedManifest);
    const manifest = JSON.stringify({ ...old, key, files });
    rmSync(bench.path(path));
    writeFileSync(bench.path(path), manifest);
    const [name = ""] = readdirSync(bench.path("measured"));
    const now = readJson(`measured/${name}`, calibration);
    const text = JSON.stringify({ ...measured, key: now.key, host: now.host });
    writeFileSync(bench.path(`measured/${name}`), text);

    const again = await prepare();
    expect(again.report).toEqual({ key, reused: true, prepare_ms: old.prepareMs });
    expect(again.stderr).not.toContain(`"msg":"calibrated"`);
    expect(readFileSync(bench.path(path), "utf8")).toBe(manifest);
    expect(readFileSync(bench.path(`measured/${name}`), "utf8")).toBe(text);
  });
});

describe.each(keptVersions)("compiled tokenizers of version %s", (version) => {
  const kept = new Kept(version);

  it("a tokenizer that another version compiled is used as it is", given(longTests), async () => {
    kept.place(bench, "tokenizer", "compiled");
    const names = readdirSync(bench.path("compiled"));
    const before = statSync(bench.path(`compiled/${names[0]}`));
    const command = `models prepare ${unigramModel(bench.folder)} --prepared-dir compiled --json`;
    const exit = await bench.run(words(command));
    expect(exit.code, exit.stderr).toBe(0);
    expect(JSON.parse(exit.stdout)).toMatchObject({ tokenizer: "rankmill" });
    const tokenizers = readdirSync(bench.path("compiled")).filter((one) => one.endsWith(".bin"));
    expect(tokenizers).toEqual(names);
    expect(statSync(bench.path(`compiled/${names[0]}`)).ino).toBe(before.ino);
  });
});

describe.each(keptVersions)("pulled models of version %s", (version) => {
  const kept = new Kept(version);

  beforeEach(() => {
    const paths = kept.read("pulled/paths.json", z.array(z.string()));
    for (const [name, bytes] of hubFiles()) {
      const path = paths.find((one) => one.endsWith(`/${name}`)) ?? "";
      mkdirSync(dirname(bench.path(`models/${path}`)), { recursive: true });
      writeFileSync(bench.path(`models/${path}`), bytes);
    }
    const lock = "rankmill-models.lock.json";
    kept.place(bench, `pulled/${lock}`, `models/${lock}`);
    writeRecords(bench.path("in.jsonl"), [{ id: "a", query: "q", documents: ["q", "r"] }]);
  });

  it("a model that another version pulled is used, at the revision that was pinned", async () => {
    const offline = await bench.run(
      words(`models pull ${HUB_MODEL} --models-dir models --offline`),
    );
    expect(offline.code, offline.stderr).toBe(0);
    const exit = await runPulled();
    expect(exit.code, exit.stderr).toBe(0);
    const manifest = z.object({ settings: z.object({ model: z.looseObject({}) }) });
    const { model } = readJson("out.manifest.json", manifest).settings;
    expect(model).toMatchObject({ name: HUB_MODEL, revision: HUB_COMMIT.slice(0, 12) });
  });

  it("a pulled model is refused if a file is not what another version pinned", async () => {
    const folder = `models/${HUB_MODEL.replace("/", "--")}/${HUB_COMMIT.slice(0, 12)}`;
    appendFileSync(bench.path(`${folder}/tokenizer.json`), "\n");
    expectRefusal(
      await runPulled(),
      USAGE,
      /tokenizer\.json is not the file that was pulled .*: delete it and run/,
    );
  });
});

function readJson<T>(name: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(bench.path(name), "utf8")));
}
