/** The files that a batch gives, line by line, as OpenAI's are. */
import { hash } from "node:crypto";
import type { WireRanking } from "../../src/core/contract.js";
import { rankingSchema } from "../../src/core/contract.js";
import type { RankedList } from "../../src/core/rank-call.js";
import type { RecordFailure } from "../../src/core/record.js";
import { parseStored } from "../../src/core/stored-json.js";
import {
  isExpired,
  type BatchEndpoint,
  type BatchFileKind,
} from "../../src/app/tenants/batch-facts.js";
import type { OwnedBatch } from "../../src/app/tenants/owned-batches.js";
import { fullRanking, inInputOrder } from "../../src/app/gateway/wires/full-ranking.js";
import { Score, writeJson } from "../../src/app/gateway/wires/write-json.js";

/** The lines of one of the two files of a batch, as far as there are any by now. */
export async function* batchLines(
  batch: OwnedBatch,
  kind: BatchFileKind,
): AsyncGenerator<string, void, undefined> {
  const createdSeconds = Math.floor(Date.parse(batch.info.createdAt) / 1_000);
  for await (const item of batch.run.items()) {
    if (item.status === "done" && kind === "output") {
      const ranking = parseStored(rankingSchema, item.line, "a ranking of a batch");
      yield answerLine(batch, ranking, createdSeconds);
    }
    if (item.status === "failed" && kind === "errors") yield failureLine(batch, item.failure);
  }
}

function answerLine(
  { id, facts }: OwnedBatch,
  ranking: WireRanking,
  createdSeconds: number,
): string {
  const requestId = requestIdOf(id, ranking.id);
  const body = { id: requestId, created: createdSeconds, ...bodyOf(facts.endpoint, ranking) };
  return writeJson({
    id: requestId,
    custom_id: ranking.id,
    response: { status_code: 200, request_id: requestId, body },
    error: null,
  });
}

function bodyOf(endpoint: BatchEndpoint, ranking: WireRanking): Record<string, unknown> {
  const { model, results, errors = [] } = ranking;
  const { pairs, tokens, truncated } = ranking.usage;
  const list: RankedList = {
    results: results.map((one) => ({
      index: one.index,
      score: one.relevance_score,
      logit: one.logit,
    })),
    failed: errors,
    usage: { pairs, tokens, truncated },
  };
  const usage = { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens };
  if (endpoint === "/v1/score") {
    const data = inInputOrder(list, "score").map(({ index, score }) => ({
      index,
      object: "score",
      score: new Score(score),
    }));
    return { object: "list", model, data, usage };
  }
  const ranked = fullRanking(list, "score").map(({ index, score }) => ({
    index,
    relevance_score: new Score(score),
  }));
  const warnings = errors.map(({ index, message }) => `documents[${index}]: ${message}`);
  return { object: "rerank", model, results: ranked, usage, meta: { warnings } };
}

const EXPIRED = {
  code: "batch_expired",
  message: "the time of the batch was over before the request was ranked",
};

function failureLine({ id, facts }: OwnedBatch, failure: RecordFailure): string {
  const { line } = failure;
  const expired = isExpired(facts) && failure.code === "cancelled";
  const { code, message } = expired ? EXPIRED : { code: failure.code, message: failure.reason };
  return JSON.stringify({
    id: requestIdOf(id, failure.id ?? `line ${line}`),
    custom_id: failure.id ?? null,
    response: null,
    error: { code, message, line },
  });
}

/** The name of one request of a batch: equal whenever the file is read. */
function requestIdOf(batch: string, customId: string): string {
  return `batch_req_${hash("sha256", `${batch}\n${customId}`).slice(0, 32)}`;
}
