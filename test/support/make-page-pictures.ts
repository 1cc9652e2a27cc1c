/** Makes the pictures of the pages for runs: `npm run docs:pictures`. It needs Chromium and redis-server. */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bench, BUILTIN, SAMPLE, words } from "./cli.js";
import { Chromium } from "./chromium.js";
import { readFileSync } from "node:fs";
import { TestRedis } from "./redis-server.js";
import { until } from "./until.js";

const PICTURES = fileURLToPath(new URL("../../docs/images", import.meta.url));
/** Points of the course of a run that is worth a picture. */
const SHOWN_POINTS = 6;
/** Copies of the sample in one run: it is under way while its pictures are taken. */
const COPIES = 250;

/** The sample again and again, with ids of their own and a few broken lines. */
function manyRecords(): string {
  const lines = readFileSync(SAMPLE, "utf8").trim().split("\n");
  const copies = Array.from({ length: COPIES }, (_, copy) =>
    lines.map((line, place) => {
      if ((copy * lines.length + place) % 97 === 5) return line.slice(0, 40);
      const record = JSON.parse(line) as { id: string; query: string };
      return JSON.stringify({
        ...record,
        id: `${record.id}-${copy}`,
        query: `${record.query} ${copy}`,
      });
    }),
  );
  return `${copies.flat().join("\n")}\n`;
}

const server = await TestRedis.start();
const bench = await Bench.open({ REDIS_URL: server.url });
const browser = await Chromium.start();
try {
  await mkdir(PICTURES, { recursive: true });
  await copyFile(SAMPLE, bench.path("handbook.jsonl"));
  await writeFile(bench.path("questions.jsonl"), manyRecords());
  const submit = `submit --model ${BUILTIN} --input`;
  await bench.run(words(`${submit} questions.jsonl --run drafts --top-n 5`));
  await bench.run(words("cancel drafts"));
  await bench.worker(["--model", BUILTIN, "--lanes", "1"]);
  await bench.run(words(`${submit} handbook.jsonl --run handbook --wait`));
  await bench.run(words(`${submit} questions.jsonl --run nightly`));
  const pages = bench.start(words("dashboard --dashboard-port 0 --allow-actions --show-texts"));
  await pages.says("serving dashboard");
  const line = pages.stdout.split("\n").find((one) => one.includes("serving dashboard")) ?? "";
  const url = `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`;
  await browser.show({ width: 1_100, height: 800 });
  await browser.open(`${url}/runs/nightly`);
  await until(
    "the run has a course",
    async () =>
      Number(await browser.evaluate(`document.querySelector("#speed polyline")?.points.length`)) >=
      SHOWN_POINTS,
  );
  const looks = [
    ["runs", "/", { width: 1_100, height: 400 }],
    ["runs-dark", "/", { width: 1_100, height: 400, dark: true }],
    ["runs-phone", "/", { width: 390, height: 640 }],
    ["run", "/runs/nightly", { width: 1_100, height: 900 }],
    ["run-dark", "/runs/nightly", { width: 1_100, height: 900, dark: true }],
    ["run-phone", "/runs/nightly", { width: 390, height: 844 }],
  ] as const;
  for (const [name, path, look] of looks) {
    await browser.show(look);
    await browser.open(`${url}${path}`);
    await browser.untilPage(
      "it is live",
      `document.querySelector("#live-state").innerText === "Live"`,
    );
    await browser.picture(join(PICTURES, `${name}.png`), look);
  }
} finally {
  await browser.close();
  await bench.close();
  await server.close();
}
