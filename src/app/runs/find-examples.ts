/** Looks for examples in a bounded part of a run, wherever it lies. */
import type { Spool } from "../../core/ports/spool.js";
import type { RunInfo } from "../../redis/run-info.js";
import { endedEntries, isJob, itemOf, type EndedEntry } from "../../runs/run-chunks.js";
import type { RunParts } from "../../runs/run-parts.js";
import { ExampleBasket, readRequest, type RunExamples } from "./run-examples.js";

/** Chunks of a run in Redis that are read; each holds 200 records at most. */
const MOST_CHUNKS = 8;
const CHUNKS_PER_CODE = 2;
/** Lines of a spool's files that are read. */
const MOST_LINES = 2_000;

export async function examplesInRedis(
  run: string,
  info: RunInfo,
  { store, results }: RunParts,
  withTexts: boolean,
): Promise<RunExamples> {
  const basket = new ExampleBasket(withTexts);
  const closed = await store.closedChunks(run);
  const chunks = new Set([0, 1].filter((chunk) => chunk < info.chunks));
  const perCode = new Map<string, number>();
  for (const [chunk, { failedByCode }] of closed) {
    for (const code of Object.keys(failedByCode)) {
      const known = perCode.get(code) ?? 0;
      if (known >= CHUNKS_PER_CODE) continue;
      perCode.set(code, known + 1);
      chunks.add(chunk);
    }
  }
  for (const chunk of [...chunks].slice(0, MOST_CHUNKS)) {
    const entries = await store.readChunk(run, chunk);
    for (const ended of await endedEntries(entries, info, results)) addEnded(basket, ended);
  }
  return basket;
}

function addEnded(basket: ExampleBasket, ended: EndedEntry): void {
  const item = itemOf(ended);
  if (item.status === "failed") basket.addFailure(item.failure);
  if (item.status !== "done") return;
  const { entry } = ended;
  basket.addRanking(item.line, () => {
    if (!isJob(entry)) return undefined;
    const text = entry.job.envelope.request ?? entry.job.payload;
    return text === undefined ? undefined : readRequest(JSON.parse(text));
  });
}

export async function examplesInSpool(
  run: string,
  spool: Spool,
  withTexts: boolean,
): Promise<RunExamples> {
  const basket = new ExampleBasket(withTexts);
  for await (const line of spool.rankings(run)) {
    basket.addRanking(line);
    if (basket.hasAllRankings) break;
  }
  let lines = 0;
  for await (const failure of spool.failures(run)) {
    basket.addFailure(failure);
    lines += 1;
    if (lines >= MOST_LINES) break;
  }
  if (withTexts) await addTexts(run, spool, basket);
  return basket;
}

/** Rankings come in the order of the records, more or less. */
async function addTexts(run: string, spool: Spool, basket: ExampleBasket): Promise<void> {
  const wanted = new Map(basket.rankings.map((one) => [one.ranking.id, one]));
  let lines = 0;
  for await (const record of spool.records(run, new Set())) {
    if (wanted.size === 0 || lines >= MOST_LINES) return;
    lines += 1;
    if (record.status !== "valid") continue;
    const { request } = record;
    const example = wanted.get(request.id);
    if (example === undefined) continue;
    example.request = readRequest(request);
    wanted.delete(request.id);
  }
}
