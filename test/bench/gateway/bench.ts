import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { openPairLane } from "../../../src/app/score-pairs.js";
import { resolveModel } from "../../../src/models/resolve.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { Bench as Processes, BUILTIN, words } from "../../support/cli.js";
import { gatewayOf } from "../../support/gateway.js";
import { metricsUrl, pairsScored } from "../../support/metrics.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { startRedis, urlOf } from "../support/redis.js";
import { residentBytes } from "../support/resident.js";
import { median } from "../support/statistics.js";
import { distinctRequests, DOCUMENTS, load, Tally, type LoadRequest, type Seen } from "./load.js";

const USAGE = `gateway: requests/s and time of clients at the gateway, beside one process without a queue
  --model NAME|FOLDER   may be given again (default builtin-bm25)
  --clients A,B,…       clients at once (default 1,8,64,512)
  --seconds N           of each row (default 20)`;

export const gatewayBench: Bench = { usage: USAGE, run };

const DIRECT_REQUESTS = 30;
const HIGH_SHARE = 0.99;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "20" },
      model: { type: "string", multiple: true, default: [BUILTIN] },
      clients: { type: "string", default: "1,8,64,512" },
    },
  });
  print(`${describeHost()}\n`);
  print(
    `A request has ${DOCUMENTS} documents of some 128 tokens, and no two are equal. The score cache is off: each pair that was asked for is scored, once. Clients, gateway, worker and Redis share the cores. "In bulk" are such requests as the records of a submitted file, its start included. "Added" is the median above that of the same request in one process without a queue. RSS is the gateway's.\n`,
  );
  const clients = values.clients.split(",").map(Number);
  const rows: string[][] = [];
  for (const model of values.model)
    rows.push(...(await measure(model, clients, Number(values.seconds))));
  printTable(
    [
      "model",
      "clients",
      "requests/s",
      "pairs/s",
      "p50 ms",
      "p99 ms",
      "added ms",
      "scored/asked",
      "not 200",
      "RSS MB",
    ],
    rows,
  );
  return 0;
}

async function measure(
  model: string,
  counts: readonly number[],
  seconds: number,
): Promise<string[][]> {
  say(model);
  const requests = distinctRequests(1);
  const direct = await measureDirect(model, requests);
  const rows = [row(model, "none", direct, Number.NaN, ["–", "–", "–"])];
  const redis = await startRedis("redis-server");
  const processes = await Processes.open({ REDIS_URL: urlOf(redis) });
  try {
    const worker = await metricsUrl(
      await processes.worker(["--model", model, "--metrics-port", "0"]),
    );
    const gateway = await gatewayOf(processes.start(["serve", "--port", "0", "--deadline", "120"]));
    const name = model === BUILTIN ? BUILTIN : basename(model);
    await load(gateway.url, name, 1, 2, requests);
    rows.push(await measureBulk(model, processes, seconds, requests));
    for (const clients of counts) {
      say(`  ${clients} clients`);
      const scoredBefore = await pairsScored(worker);
      const seen = await load(gateway.url, name, clients, seconds, requests);
      for (const [reason, count] of seen.tally.counts) say(`    ${count} × ${reason}`);
      const asked = seen.tookMs.length * DOCUMENTS;
      const scored = ((await pairsScored(worker)) - scoredBefore) / asked;
      const rss = (residentBytes(gateway.running.pid) / 1e6).toFixed(0);
      rows.push(
        row(model, String(clients), seen, median(direct.tookMs), [
          scored.toFixed(2),
          seen.tally.refused,
          rss,
        ]),
      );
    }
  } finally {
    await processes.close();
    await redis.stop();
  }
  return rows;
}

/** The same requests, one after another, by a tokenizer and one lane of this process. */
async function measureDirect(name: string, requests: Generator<LoadRequest, never>): Promise<Seen> {
  const model = await resolveModel(name, { packageRoot: packageRoot() });
  const lane = await openPairLane(model, process.env);
  const tookMs: number[] = [];
  try {
    for (let i = 0; i <= DIRECT_REQUESTS; i += 1) {
      const { query, documents } = requests.next().value;
      const startMs = performance.now();
      const encoded = await lane.encode(documents.map((document) => ({ query, document })));
      await lane.score(encoded.flatMap(({ pairs }) => pairs));
      // The first warms up.
      if (i > 0) tookMs.push(performance.now() - startMs);
    }
  } finally {
    await lane.close();
  }
  const seconds = tookMs.reduce((sum, ms) => sum + ms, 0) / 1_000;
  return { seconds, tookMs, tally: new Tally() };
}

/** Such requests as the records of a file, through the same worker: as many as take about `seconds`. */
async function measureBulk(
  model: string,
  processes: Processes,
  seconds: number,
  requests: Generator<LoadRequest, never>,
): Promise<string[]> {
  say("  in bulk");
  let records = FIRST_RECORDS;
  for (;;) {
    const lines = Array.from({ length: records }, (_, i) =>
      JSON.stringify({ id: `${records}-${i}`, ...requests.next().value }),
    );
    writeFileSync(processes.path("in.jsonl"), `${lines.join("\n")}\n`);
    const startMs = performance.now();
    const line = `submit --model ${model} --input in.jsonl --output ${records}.jsonl --wait`;
    const { code, stderr } = await processes.run(words(line));
    if (code !== 0) throw new Error(stderr);
    const took = (performance.now() - startMs) / 1_000;
    if (took >= seconds) {
      const pairs = ((records * DOCUMENTS) / took).toFixed(0);
      return [
        basename(model),
        "in bulk",
        (records / took).toFixed(1),
        pairs,
        "–",
        "–",
        "–",
        "–",
        "–",
        "–",
      ];
    }
    records = Math.ceil(records * Math.min(8, (1.2 * seconds) / took));
  }
}

/** The least that says how long more will take. */
const FIRST_RECORDS = 10;

function row(
  model: string,
  clients: string,
  { seconds, tookMs }: Seen,
  directMs: number,
  rest: readonly string[],
): string[] {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const perSecond = tookMs.length / seconds;
  const middle = median(sorted);
  const high = sorted[Math.floor(sorted.length * HIGH_SHARE)] ?? Number.NaN;
  return [
    basename(model),
    clients,
    perSecond.toFixed(1),
    (perSecond * DOCUMENTS).toFixed(0),
    middle.toFixed(1),
    high.toFixed(1),
    Number.isNaN(directMs) ? "–" : (middle - directMs).toFixed(1),
    ...rest,
  ];
}
