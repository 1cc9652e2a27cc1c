import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ModelQueues } from "../../../src/redis/model-queues.js";
import { BUILTIN } from "../../support/cli.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";
import { ask, distinctRequests, Tally, type LoadRequest } from "./load.js";
import { memoryOf, openGateway, type OpenGateway } from "./open-gateway.js";

const USAGE = `gateway-waiting: memory of a gateway while its clients wait
  --clients A,B,…       clients that wait at once (default 0,1000,10000)
  --documents N         of each request (default 1)`;

export const waitingBench: Bench = { usage: USAGE, run };

/** The longest deadline that a gateway takes. */
const DEADLINE_SECONDS = 300;
const LOOK_MS = 100;
/** Keys that have not become fewer for this long are those that stay. */
const SETTLED_MS = 1_000;
/** Clients that connect at once: this process is one of the two that must keep up. */
const CLIENTS_AT_ONCE = 500;

async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: "string", default: "0,1000,10000" },
      documents: { type: "string", default: "1" },
    },
  });
  const documents = Number(values.documents);
  print(`${describeHost()}\n`);
  print(
    `Each client asks once for a ranking of ${documents} documents of some 128 tokens, no two alike, and waits. Nothing is scored until all of them wait: the queue is paused. Connections are those of all processes to Redis.\n`,
  );
  const rows: string[][] = [];
  for (const clients of values.clients.split(",").map(Number)) {
    say(`${clients} clients`);
    rows.push(await measure(clients, distinctRequests(3, documents)));
  }
  printTable(
    ["clients", "gateway MB", "worker MB", "Redis MB", "connections", "answers", "keys after"],
    rows,
  );
  return 0;
}

async function measure(
  clients: number,
  requests: Generator<LoadRequest, never>,
): Promise<string[]> {
  const open = await openGateway(BUILTIN, `--deadline ${DEADLINE_SECONDS}`);
  const queues = new ModelQueues(open.redis);
  try {
    const paused = (await queues.list()).map(({ queue }) => queue);
    await Promise.all(paused.map((queue) => queue.pause()));
    const tally = new Tally();
    const queued = async (): Promise<number> => {
      const counts = await Promise.all(paused.map((queue) => queue.getJobCounts()));
      return counts.flatMap((states) => Object.values(states)).reduce((sum, count) => sum + count);
    };
    const answers: Promise<void>[] = [];
    while (answers.length < clients) {
      const some = Math.min(CLIENTS_AT_ONCE, clients - answers.length);
      for (let i = 0; i < some; i += 1) {
        const answer = ask(open.gateway.url, BUILTIN, requests.next().value);
        answers.push(answer.then((got) => tally.add(got)));
      }
      await untilWaiting(answers.length, tally, queued);
    }
    const memory = await memoryOf(open);
    const connections = /^connected_clients:(\d+)/m.exec(await open.redis.info("clients"))?.[1];
    await Promise.all(paused.map((queue) => queue.resume()));
    await Promise.all(answers);
    for (const [reason, count] of tally.counts) say(`  ${count} × ${reason}`);
    const answered = tally.counts.find(([reason]) => reason === "200")?.[1] ?? 0;
    const told = clients === 0 ? "–" : `${answered} × 200, ${tally.refused}`;
    return [String(clients), ...memory, connections ?? "?", told, await keysOf(open)];
  } finally {
    await queues.close();
    await open.close();
  }
}

/** Waits until every client was answered or has its job in the queue. */
async function untilWaiting(
  clients: number,
  tally: Tally,
  queued: () => Promise<number>,
): Promise<void> {
  for (;;) {
    const answered = tally.counts.reduce((sum, [, count]) => sum + count, 0);
    if ((await queued()) + answered >= clients) return;
    await sleep(LOOK_MS);
  }
}

/** Keys once those of the answered requests are gone; they go right after the answer. */
async function keysOf({ redis }: OpenGateway): Promise<string> {
  let keys = await redis.dbsize();
  for (;;) {
    await sleep(SETTLED_MS);
    const now = await redis.dbsize();
    if (now >= keys) return String(now);
    keys = now;
  }
}
