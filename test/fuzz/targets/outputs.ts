/** The files that a run leaves beside its output, and a spool. */
import { emptyHistogram } from "../../../src/core/score-histogram.js";
import { readFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rankingId } from "../../../src/core/run-counts.js";
import type { Manifest } from "../../../src/outputs/manifest.js";
import { RunOutput } from "../../../src/outputs/run-output.js";
import { ResultFiles } from "../../../src/outputs/result-files.js";
import { sumsLine } from "../../../src/outputs/ranking-sums.js";
import { FolderSpool } from "../../../src/outputs/spool/folder-spool.js";
import type { SeededRandom } from "../../support/random.js";
import { SETTINGS } from "../../support/run-settings.js";
import { mutated } from "../support/mutate.js";
import { all, must, type FuzzTarget } from "../support/target.js";

const ranking = (id: string): string =>
  `{"id":"${id}","model":"m","results":[{"index":0,"relevance_score":0.5,"logit":0}],"usage":{"pairs":1,"tokens":7,"truncated":0}}`;
const RANKINGS = ["a", "b", "c"].map(ranking);
const LINES = RANKINGS.map((line) => `${line}\n`).join("");
const SUMS = RANKINGS.map((line) => sumsLine(line, 7)).join("");
const FAILED =
  '{"line":4,"id":"d","code":"invalid_field","reason":"query: is missing","input":{"id":"d"}}\n';
const LOCKS = ['{"pid":999999,"host":"elsewhere","token":"t"}', '{"pid":4194304,"host":"h"}', ""];

function manifestOf(output: string, state: Manifest["state"]): string {
  const manifest: Manifest = {
    rankmill: "0.2.0",
    schema: 1,
    state,
    input: "in.jsonl",
    inputDigest: "0",
    output,
    settings: SETTINGS,
    counts: {
      done: 3,
      failed: 1,
      pairs: 3,
      tokens: 21,
      truncated: 0,
      failedPairs: 0,
      failedByCode: {},
      scores: emptyHistogram(),
    },
    redis: "private",
    startedAt: "2026-01-01T00:00:00.000Z",
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Of the files beside an output one or several are damaged; the next start goes on or refuses. */
export const outputs: FuzzTarget = {
  name: "outputs",
  files: true,
  weight: 1,
  run: async ({ random, folder }) => {
    const output = join(folder, "out.jsonl");
    const whole = random.between(0, 1) === 0;
    putSome(random, folder, {
      [whole ? "out.jsonl" : "out.jsonl.partial"]: LINES,
      "out.jsonl.sums": SUMS,
      "out.failed.jsonl": FAILED,
      "out.manifest.json": manifestOf(output, whole ? "complete" : "interrupted"),
      ...(random.between(0, 9) === 0 ? { "out.jsonl.lock": random.pick(LOCKS) } : {}),
    });
    if (random.between(0, 5) === 0) {
      const files = await ResultFiles.open(output, "r");
      await files.write(RANKINGS);
      await files.close();
      return;
    }
    const file = await RunOutput.open(output, SETTINGS, { forceNew: random.between(0, 5) === 0 });
    const fresh = RANKINGS.filter((line) => !file.done.digests.has(rankingId(line)));
    await file.write(fresh);
    await file.close(true);
    const ids = readFileSync(output, "utf8").split("\n").filter(Boolean).map(rankingId);
    must(new Set(ids).size === ids.length, "an id stands twice in the output", ids);
    must(
      ["a", "b", "c"].every((id) => ids.includes(id)),
      "a ranking is lost",
      ids,
    );
    must(file.counts.done === ids.length, "the count is wrong", file.counts, ids);
    const left = readdirSync(folder).filter((name) => /tmp|lock|partial/.test(name));
    must(left.length === 0, "files are left over", left);
  },
};

const RECORDS = ["a", "b", "c"]
  .map((id, i) =>
    JSON.stringify({
      status: "valid",
      line: i + 1,
      request: { id, query: "q", documents: [{ text: "d" }] },
      bytes: 40,
      ignoredFields: [],
    }),
  )
  .join("\n");

export const spools: FuzzTarget = {
  name: "spools",
  files: true,
  weight: 1,
  run: async ({ random, folder }) => {
    const run = random.pick(["run", "run", "run", "../x", "a\nb", "a\u0000b", "", "..", "a/b"]);
    mkdirSync(join(folder, "run/rankings"), { recursive: true });
    putSome(random, join(folder, "run"), {
      "records.jsonl": `${RECORDS}\n`,
      "rankings/1.jsonl": LINES.slice(0, LINES.length / 2),
      "rankings/2.jsonl": LINES,
      "rankings/2.failed.jsonl": FAILED,
    });
    const spool = new FolderSpool(folder);
    if (!(await spool.has(run))) return;
    const output = await spool.openOutput(run, 3);
    const open = await all(spool.records(run, output.doneIds));
    const ranked = open.flatMap((one) => (one.status === "valid" ? [one.request.id] : []));
    await output.write([...new Set(ranked)].filter((id) => !output.doneIds.has(id)).map(ranking));
    await output.flush();
    await output.close(true);
    const ids = (await all(spool.rankings(run))).map(rankingId);
    must(new Set(ids).size === ids.length, "an id stands twice in the spool", ids);
    await all(spool.failures(run));
    await spool.countRecords(run);
  },
};

function putSome(
  random: SeededRandom,
  folder: string,
  files: Readonly<Record<string, string>>,
): void {
  const valid = Object.values(files);
  for (const [name, text] of Object.entries(files)) {
    if (random.between(0, 9) === 0) continue;
    const damaged = random.between(0, 2) === 0;
    writeFileSync(join(folder, name), damaged ? mutated(random, [text, text, ...valid]) : text);
  }
}
