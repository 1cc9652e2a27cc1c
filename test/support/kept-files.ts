/** The files that are kept, each written whole and read again as those who use it do. */
import { emptyHistogram } from "../../src/core/score-histogram.js";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { readCalibration, writeCalibration } from "../../src/capacity/measure/calibration-file.js";
import { RankmillError } from "../../src/core/errors.js";
import type { Spool } from "../../src/core/ports/spool.js";
import type { InputRecord, RecordFailure } from "../../src/core/record.js";
import { inspectPrepared, sealPrepared } from "../../src/inference/prepare/prepared-folder.js";
import { openCorpus } from "../../src/inputs/collection/open-corpus.js";
import { digestModel } from "../../src/models/digest.js";
import { inspectModelFolder } from "../../src/models/model-folder.js";
import { manifestText } from "../../src/outputs/manifest.js";
import { lockOutput } from "../../src/outputs/output-lock.js";
import { requestDigest, sumsLine } from "../../src/outputs/ranking-sums.js";
import { RunOutput } from "../../src/outputs/run-output.js";
import { FolderSpool } from "../../src/outputs/spool/folder-spool.js";
import { UnigramEncoder } from "../../src/tokenizers/kinds/unigram/unigram-encoder.js";
import { compiledOf } from "../../src/tokenizers/kinds/unigram/open-unigram.js";
import { TokenizerSource } from "../../src/tokenizers/tokenizer-source.js";
import { CALIBRATION } from "./calibration.js";
import { BERT } from "./cli.js";
import { deadPid } from "./kept.js";
import { SETTINGS } from "./run-settings.js";

/** What a reader made of what it found. */
export interface Found {
  /** All that it gives out, in pieces that can be damaged alone. */
  readonly value: readonly string[];
  /** Lines for people. */
  readonly said: readonly string[];
}

/** A kind of kept file, in a folder of its own. */
export interface KeptFile {
  readonly name: string;
  /** Writes everything, whole. */
  write(folder: string): Promise<void>;
  read(folder: string): Promise<Found>;
  /** Names in the folder of files that are damaged, one at a time; undefined: all files. */
  readonly ending?: RegExp;
  /** Files that are appended to: one without its end is what a crash leaves, and is gone on with in silence. */
  readonly appended?: RegExp;
}

const UNIGRAM = fileURLToPath(
  new URL("../fixtures/tokenizer/unigram-precompiled", import.meta.url),
);
const CORPUS_TIME = new Date("2026-01-01");
const IDS = ["a", "b", "c"];
const requests = IDS.map((id) => ({ id, query: "é q", documents: [{ text: "some text" }] }));
const RECORDS = requests.map((request, i): InputRecord => {
  return { status: "valid", line: i + 1, request, bytes: 40, ignoredFields: [] };
});
const RANKINGS = IDS.map(
  (id) =>
    `{"id":"${id}","model":"m","results":[{"index":0,"relevance_score":0.5,"logit":0}],"usage":{"pairs":1,"tokens":7,"truncated":0}}`,
);
const FAILURE: RecordFailure = {
  line: 4,
  id: "d",
  code: "invalid_field",
  reason: "query: is missing",
  input: { id: "d" },
};

const RUN = "run";

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** A refusal gives nothing, in one line. */
async function orRefused(read: () => Promise<Found>): Promise<Found> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof RankmillError)) throw error;
    return { value: [], said: [error.message] };
  }
}

/** A run of three records, two of them ranked and one failed; the third is under way. */
export async function writeSpool(spool: Spool): Promise<void> {
  await spool.put(RUN, Readable.from(RECORDS));
  const output = await spool.openOutput(RUN, 1);
  await output.write(RANKINGS);
  await output.fail([FAILURE]);
  await output.flush();
  await output.close(false);
}

export async function readSpool(spool: Spool): Promise<Found> {
  const records = await all(spool.records(RUN, new Set()));
  const output = await spool.openOutput(RUN, 2);
  const failures = await all(spool.failures(RUN));
  await output.close(false);
  const invalid = records.flatMap((one) => (one.status === "invalid" ? [one.failure] : []));
  return {
    value: [
      ...records.filter(({ status }) => status === "valid").map((one) => JSON.stringify(one)),
      ...output.doneIds,
      ...(await all(spool.rankings(RUN))),
      ...failures.filter(({ code }) => code !== "damaged").map((one) => JSON.stringify(one)),
    ],
    said: [
      ...invalid.map(({ reason }) => reason),
      ...failures.filter(({ code }) => code === "damaged").map(({ reason }) => reason),
      ...output.damage,
    ],
  };
}

const spool: KeptFile = {
  name: "a spool in a folder",
  appended: /rankings\/1\.jsonl$|rankings\/1\.sums$/,
  write: async (folder) => await writeSpool(new FolderSpool(folder)),
  read: async (folder) => await readSpool(new FolderSpool(folder)),
};

/** The files beside an output; a start goes on with them or refuses. */
const output: KeptFile = {
  name: "the partial output of a run, its checksums and its manifest",
  ending: /\.(partial|sums|manifest\.json)$/,
  appended: /\.(partial|sums)$/,
  write: async (folder) => {
    const path = join(folder, "out.jsonl");
    writeFileSync(`${path}.partial`, RANKINGS.map((line) => `${line}\n`).join(""));
    const sums = RANKINGS.map((line, i) => sumsLine(line, requestDigest(requests[i] ?? never())));
    writeFileSync(`${path}.sums`, sums.join(""));
    const manifest = manifestText({
      rankmill: "0.2.0",
      schema: 1,
      state: "interrupted",
      input: "in.jsonl",
      inputDigest: "0",
      output: path,
      settings: SETTINGS,
      counts: {
        done: 3,
        failed: 0,
        pairs: 3,
        tokens: 21,
        truncated: 0,
        failedPairs: 0,
        failedByCode: {},
        scores: emptyHistogram(),
      },
      redis: "private",
      startedAt: "2026-01-01T00:00:00.000Z",
    });
    writeFileSync(join(folder, "out.manifest.json"), manifest);
    await Promise.resolve();
  },
  read: async (folder) =>
    await orRefused(async () => {
      const file = await RunOutput.open(join(folder, "out.jsonl"), SETTINGS);
      const again = new Set(
        (await all(file.unranked(Readable.from(RECORDS)))).map((one) => JSON.stringify(one)),
      );
      const kept = RECORDS.map((one) => JSON.stringify(one)).filter((one) => !again.has(one));
      const { damaged, twice } = file.done;
      const { input, inputDigest, startedAt, settings } = file.before ?? {};
      await file.close(false);
      return {
        value: [
          ...kept,
          ...(input === undefined
            ? []
            : [JSON.stringify({ input, inputDigest, startedAt, settings })]),
        ],
        said: [
          ...(damaged > 0 ? [`${damaged} rankings are damaged`] : []),
          ...(twice > 0 ? [`${twice} rankings are there twice`] : []),
          ...file.notes(false),
        ],
      };
    }),
};

function never(): never {
  throw new RangeError("there are as many requests as rankings");
}

const lock: KeptFile = {
  name: "the lock of a command that was killed",
  write: async (folder) => {
    const holder = { pid: deadPid(), host: hostname(), token: "t" };
    writeFileSync(join(folder, "out.lock"), JSON.stringify(holder));
    await Promise.resolve();
  },
  read: async (folder) =>
    await orRefused(async () => {
      const unlock = await lockOutput(join(folder, "out.lock"));
      await unlock();
      return { value: ["locked"], said: [] };
    }),
};

const index: KeptFile = {
  name: "the index of a collection",
  ending: /\.index$/,
  write: async (folder) => {
    const path = join(folder, "corpus.jsonl");
    const lines = Array.from({ length: 60 }, (_, id) => `{"_id":"d${id}","text":"text ${id}"}\n`);
    writeFileSync(path, lines.join(""));
    utimesSync(path, CORPUS_TIME, CORPUS_TIME);
    await (await openCorpus({ path, cacheDir: folder, maxLineBytes: 2_000 })).close();
  },
  read: async (folder) => {
    const said: string[] = [];
    const corpus = await openCorpus({
      path: join(folder, "corpus.jsonl"),
      cacheDir: folder,
      maxLineBytes: 2_000,
      onDamaged: (problem) => said.push(problem),
    });
    const found = await Promise.all([0, 7, 59].map(async (id) => await corpus.lookup(`d${id}`)));
    await corpus.close();
    return {
      value: found.flatMap((one) => (one === undefined ? [] : [JSON.stringify(one.fields)])),
      said,
    };
  },
};

const calibration: KeptFile = {
  name: "a calibration",
  write: async (folder) => void (await writeCalibration(folder, CALIBRATION)),
  read: async (folder) => {
    const said: string[] = [];
    const found = await readCalibration(folder, CALIBRATION.key, (problem) => said.push(problem));
    return { value: found === undefined ? [] : [JSON.stringify(found)], said };
  },
};

const digests: KeptFile = {
  name: "the digests of model files",
  write: async (folder) => void (await digestOf(folder, [])),
  read: async (folder) => {
    const said: string[] = [];
    return { value: [await digestOf(folder, said)], said };
  },
};

async function digestOf(folder: string, said: string[]): Promise<string> {
  return await digestModel(await inspectModelFolder(BERT), "fp32", {
    cacheFile: join(folder, "digests.json"),
    onDamaged: (problem) => said.push(problem),
  });
}

const compiled: KeptFile = {
  name: "a compiled tokenizer",
  write: async (folder) => void (await compiledOf(await TokenizerSource.open(UNIGRAM, folder))),
  read: async (folder) => {
    const source = await TokenizerSource.open(UNIGRAM, folder);
    const found = await compiledOf(source);
    if ("reason" in found) throw new TypeError(found.reason);
    const ids = new UnigramEncoder(found.unigram).encode(TEXT);
    return { value: [JSON.stringify([...ids, found.template.prefix])], said: source.notes };
  },
};

/** Pieces of the vocabulary, and characters that it lacks. */
const TEXT = "the history of a city, 漢字 and é";
const KEY = "key";

const prepared: KeptFile = {
  name: "a prepared model",
  write: async (folder) => {
    const place = join(folder, KEY);
    mkdirSync(place);
    writeFileSync(join(place, "model.onnx"), "graph".repeat(20));
    writeFileSync(join(place, "model.onnx.data"), Buffer.alloc(400, 7));
    const host = { runtime: "1", arch: "x64", cpuFlags: ["avx2"] };
    const about = { key: KEY, modelDigest: "d", prepareMs: 1, unmasked: false, ...host };
    await sealPrepared(place, about);
  },
  read: async (folder) => {
    const found = await inspectPrepared(join(folder, KEY), KEY, false);
    if (found.status === "good") {
      const { preparedAt: _, ...rest } = found.manifest;
      return { value: [JSON.stringify(rest)], said: [] };
    }
    return { value: [], said: found.status === "damaged" ? [found.reason] : [] };
  },
};

export const KEPT_FILES: readonly KeptFile[] = [
  spool,
  output,
  lock,
  index,
  calibration,
  digests,
  compiled,
  prepared,
];
