import { setTimeout as sleep } from "node:timers/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { BUILTIN } from "../../support/cli.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { ask, distinctRequests, DOCUMENTS, load, Tally, type LoadRequest } from "./load.js";
import { memoryOf, openGateway, type OpenGateway } from "./open-gateway.js";

const USAGE = `gateway-overload: a gateway that is asked for twice what its worker can score
  --model NAME|FOLDER   (default builtin-bm25)
  --seconds N           of twice the load (default 60)
  --deadline N          seconds that each client waits (default 25)`;

export const overloadBench: Bench = { usage: USAGE, run };

/** As many clients as keep one worker busy. */
const STEADY_CLIENTS = 32;
const STEADY_SECONDS = 15;
const TIMES = 2;
const SAMPLE_MS = 5_000;
/** The longest that a late job may take until it has ended. */
const LATE_MS = 300_000;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "60" },
      model: { type: "string", default: BUILTIN },
      deadline: { type: "string", default: "25" },
    },
  });
  const { model } = values;
  const seconds = Number(values.seconds);
  print(`${describeHost()}\n`);
  const open = await openGateway(model, `--deadline ${values.deadline}`);
  try {
    const name = basename(model);
    const requests = distinctRequests(2);
    const { url } = open.gateway;
    const steady = await load(url, name, STEADY_CLIENTS, STEADY_SECONDS, requests);
    const perSecond = steady.tookMs.length / steady.seconds;
    const keysBefore = await open.redis.dbsize();
    print(
      `${name}: ${perSecond.toFixed(1)} requests/s of ${DOCUMENTS} documents are sustained (${STEADY_CLIENTS} clients for ${STEADY_SECONDS} s). Asked for: ${(TIMES * perSecond).toFixed(1)} requests/s for ${seconds} s, --deadline ${values.deadline}. ${keysBefore} keys in Redis before.\n`,
    );
    const rate = TIMES * perSecond;
    const { tally, lateJobs } = await press(open, name, { rate, seconds, requests });
    printTable(
      ["answer", "requests"],
      tally.counts.map(([reason, count]) => [reason, String(count)]),
    );
    for (const line of failuresOf(open)) say(line);
    const ranked = await endLateJobs(lateJobs);
    const keysAfter = await settledKeys(open, keysBefore);
    const [gateway, worker, redis] = await memoryOf(open);
    print(
      `\nLate jobs: ${lateJobs.length}, of which ${ranked} were ranked and fetched afterwards. Keys in Redis after: ${keysAfter}. MB at the end: gateway ${gateway}, worker ${worker}, Redis ${redis}.`,
    );
    return ranked === lateJobs.length && keysAfter <= keysBefore ? 0 : 1;
  } finally {
    await open.close();
  }
}

interface Pressure {
  /** Requests per second, sent whether or not earlier ones were answered. */
  readonly rate: number;
  readonly seconds: number;
  readonly requests: Generator<LoadRequest, never>;
}

async function press(
  open: OpenGateway,
  model: string,
  { rate, seconds, requests }: Pressure,
): Promise<{ tally: Tally; lateJobs: string[] }> {
  const tally = new Tally();
  const lateJobs: string[] = [];
  const underWay: Promise<void>[] = [];
  const one = async (): Promise<void> => {
    const answer = await ask(open.gateway.url, model, requests.next().value);
    tally.add(answer);
    lateJobs.push(...answer.lateJobs);
  };
  const startMs = performance.now();
  let sampledMs = startMs;
  const rows: string[][] = [];
  for (let sent = 0; performance.now() - startMs < 1_000 * seconds; sent += 1) {
    underWay.push(one());
    if (performance.now() - sampledMs >= SAMPLE_MS) {
      sampledMs += SAMPLE_MS;
      const at = ((performance.now() - startMs) / 1_000).toFixed(0);
      rows.push([at, ...(await memoryOf(open)), String(await open.redis.dbsize())]);
      say(`  ${at} s`);
    }
    const due = startMs + (1_000 * (sent + 1)) / rate;
    await sleep(Math.max(0, due - performance.now()));
  }
  await Promise.all(underWay);
  printTable(["second", "gateway MB", "worker MB", "Redis MB", "keys"], rows);
  print("");
  return { tally, lateJobs };
}

/** Fetches the ranking of each late job, and deletes it. Tells how many there were. */
async function endLateJobs(urls: readonly string[]): Promise<number> {
  const untilMs = performance.now() + LATE_MS;
  let ranked = 0;
  for (const url of urls) {
    let status = "queued";
    while (status === "queued" && performance.now() < untilMs) {
      const answer = await fetch(`${url}?wait=20`);
      status = ((await answer.json()) as { status?: string }).status ?? "lost";
    }
    if (status === "done") ranked += 1;
    await fetch(url, { method: "DELETE" });
  }
  return ranked;
}

/** The number of keys once it is down to `goal`, or after a minute. */
async function settledKeys({ redis }: OpenGateway, goal: number): Promise<number> {
  let keys = await redis.dbsize();
  for (let i = 0; keys > goal && i < 60; i += 1) {
    await sleep(1_000);
    keys = await redis.dbsize();
  }
  return keys;
}

/** The kinds of failures in the gateway's log, with their number. */
function failuresOf({ gateway }: OpenGateway): string[] {
  const counts = new Map<string, number>();
  for (const line of gateway.running.stdout.split("\n")) {
    const [, message = ""] = /"err":\{.*?"message":"((?:[^"\\]|\\.)*)"/.exec(line) ?? [];
    const kind = message.replaceAll(/[0-9a-f]{8,}|\d+/g, "N");
    if (kind !== "") counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `  ${count} × ${kind}`);
}
