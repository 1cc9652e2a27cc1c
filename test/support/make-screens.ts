/** Makes the pictures of the terminal: `npm run docs:screens`. It needs tmux and redis-server. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Bench, BUILTIN, SAMPLE, words } from "./cli.js";
import { Gate } from "./gate.js";
import { countLines } from "./records.js";
import { TestRedis } from "./redis-server.js";
import { screenSvg } from "./screen-svg.js";
import { Tmux } from "./tmux.js";
import { until } from "./until.js";

const IMAGES = fileURLToPath(new URL("../../docs/images", import.meta.url));
const COLUMNS = 80;
const INPUT = "questions.jsonl";
const RUN = `rankmill run ${INPUT} --model ${BUILTIN}`;
/** Small steps, and nothing to measure first. */
const SMALL_STEPS = `lanes = 1
concurrency = 2
in-flight-jobs = 8
max-batch-size = 1
calibrate = false
`;

const recordSchema = z.object({
  id: z.string(),
  documents: z.array(z.object({ id: z.string() })),
  metadata: z.object({ relevant: z.array(z.string()) }),
});

const gate = await Gate.open();
const redis = await TestRedis.start();
const bench = await Bench.open({ ...gate.env, REDIS_URL: redis.url });

const screen = await Tmux.open(bench, COLUMNS);

/** Draws what the terminal, empty at first, shows after `work`. */
async function draw(name: string, work: () => Promise<void>): Promise<void> {
  await screen.enter("clear");
  await until("the screen is empty", () => screen.rows().join("") === "$");
  await work();
  writeFileSync(join(IMAGES, `terminal-${name}.svg`), screenSvg(screen.inColour(), COLUMNS));
}

/** Types a command, and waits until it has said `shown` and has ended. */
async function command(line: string, shown: string | RegExp): Promise<void> {
  await screen.enter(line);
  await screen.untilShown(shown);
  await screen.untilIdle();
}

/** The marks of the sample as judgements, and its lists as the run of a first stage. */
function writeJudgements(): void {
  const lines = readFileSync(SAMPLE, "utf8").trim().split("\n");
  const records = lines.map((line) => recordSchema.parse(JSON.parse(line)));
  const judged = records.flatMap(({ id, metadata }) =>
    metadata.relevant.map((document) => `${id} 0 ${document} 1`),
  );
  const listed = records.flatMap(({ id, documents }) =>
    documents.map(({ id: document }, i) => `${id} Q0 ${document} ${i + 1} ${1 / (i + 1)} first`),
  );
  writeFileSync(bench.path("judged.qrels"), `${judged.join("\n")}\n`);
  writeFileSync(bench.path("first.trec"), `${listed.join("\n")}\n`);
}

try {
  copyFileSync(SAMPLE, bench.path(INPUT));
  writeJudgements();
  writeFileSync(bench.path("rankmill.toml"), SMALL_STEPS);
  // Held, so that the picture shows a run under way on any machine.
  gate.hold();
  await draw("run", async () => {
    await screen.enter(RUN);
    const partial = bench.path("questions.ranked.jsonl.partial");
    await gate.stepUntil("a third is ranked", () => countLines(partial) >= 18);
    await screen.untilShown(/(1[89]|2\d)\/54/);
  });
  screen.press("C-c");
  await screen.untilShown("stopping within");
  screen.press("C-c");
  await screen.untilIdle();
  await draw("stop", async () => {
    await screen.enter(RUN);
    await screen.untilShown("going on with");
    await screen.untilShown(/\d\/54/);
    screen.press("C-c");
    await screen.untilShown("stopping within");
    gate.release();
    await screen.untilIdle();
  });
  writeFileSync(bench.path("rankmill.toml"), "lanes = 1\ncalibrate = false\n");
  await redis.client().flushall();
  await draw("show", async () => {
    await command(`${RUN} --output ranked.jsonl`, "to see some");
    await command("rankmill show ranked.jsonl en-ai-definition", "more");
  });
  await draw("eval", async () => {
    const compared = "--qrels judged.qrels --before first.trec";
    await command(`rankmill eval --run ranked.jsonl ${compared}`, "judged queries");
  });
  const worker = await bench.worker(["--model", BUILTIN]);
  const handbook = `--input ${INPUT} --run handbook --top-n 3 --wait`;
  await bench.run(words(`submit --model ${BUILTIN} ${handbook}`));
  worker.signal("SIGTERM");
  await worker.exited;
  await draw("status", async () => {
    await command(`rankmill submit --input ${INPUT} --model ${BUILTIN}`, /^run-/);
    await command("rankmill status", "records  failed");
  });
  await draw("error", async () => {
    await command(`rankmill run ${INPUT} --model ms-marco-MiniLM`, "did you mean");
    await command(`rankmill run ${INPUT} --modell ${BUILTIN}`, "did you mean --model");
    await command(`rankmill run rankmill.toml --model ${BUILTIN}`, /holds? no record/);
  });
} finally {
  screen.close();
  await bench.close();
  await redis.close();
  await gate.close();
}
