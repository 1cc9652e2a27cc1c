import { SCHEMA_MAJOR } from "../core/contract.js";
import { numbersName } from "../core/forms/numbers.js";
import type { ModelKey } from "../core/job.js";
import type { Priority } from "../core/priority.js";

/** First part of every key that rankmill or BullMQ writes for it. */
export const KEY_PREFIX = "rankmill";

const REVISION_CHARS = 12;
const MAX_SLUG_CHARS = 80;

/**
 * One word that names what a pair of queues serves: model, revision, precision with its numeric form, if it has
 * one, and the major version of the schema. Free of `:` (BullMQ's separator) and of braces, so that it can stand in a Redis
 * Cluster hash tag: everything about one model lies in one slot.
 */
export function modelTag(key: ModelKey): string {
  const slug = key.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, "-")
    .slice(-MAX_SLUG_CHARS);
  return `${slug}.${key.revision.slice(0, REVISION_CHARS)}.${numbersName(key)}.v${SCHEMA_MAJOR}`;
}

/** BullMQ's name of a queue; its keys are `rankmill:{tag}-bulk:…`. */
export function queueName(tag: string, priority: Priority): string {
  return `{${tag}}-${priority}`;
}

/** Keys of one job beside BullMQ's own; all with a time to live. */
export const jobKeys = {
  /** String: `D` + the output line, or `F` + {code, message}. The documented place of results. */
  result: (tag: string, jobId: string): string => `${KEY_PREFIX}:{${tag}}:result:${jobId}`,
  /** String: the fence of the newest attempt, a space, and how many attempts there were. */
  fence: (tag: string, jobId: string): string => `${KEY_PREFIX}:{${tag}}:fence:${jobId}`,
  /** String: the request, compressed, if it is too large for the job. */
  payload: (tag: string, jobId: string): string => `${KEY_PREFIX}:{${tag}}:payload:${jobId}`,
  /** Hash: pairs under suspicion → how often their worker vanished with them. */
  accused: (tag: string, jobId: string): string => `${KEY_PREFIX}:{${tag}}:accused:${jobId}`,
  /** String: who waits for the result, a line each; the last to go takes the job's keys along. */
  owners: (tag: string, jobId: string): string => `${KEY_PREFIX}:{${tag}}:owners:${jobId}`,
} as const;

/** Counter from which every attempt of every job draws its fence. */
export function fenceCounterKey(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:fences`;
}

/** Set: owners whose jobs no worker shall begin any more, while they are being taken out. */
export function refusedKey(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:refused`;
}

/** Channel on which ids of ended jobs are published, comma-separated. */
export function endedChannel(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:ended`;
}

/** Channel on which ids of cancelled jobs are published, comma-separated. */
export function cancelChannel(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:cancel`;
}

/** Hash: key of a pair → its logit. One of the score cache's buckets; see RedisScoreCache. */
export function scoresKey(tag: string, bucket: number): string {
  return `${KEY_PREFIX}:{${tag}}:scores:${bucket.toString(36)}`;
}

/** Set of the runs of one model that lie in Redis and are not over; its workers look after them. */
export function openRunsKey(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:open-runs`;
}

/** Set in which version 0.1.0 kept the runs that have jobs with one model. */
export function modelRunsKey(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:runs`;
}

/** Set of the workers that serve a model; goes with the last of them. */
export function workersKey(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:workers`;
}

/** String: what one worker says of itself every few seconds, JSON; goes a moment after the worker. */
export function workerKey(tag: string, worker: string): string {
  return `${KEY_PREFIX}:{${tag}}:worker:${worker}`;
}

/** String: the numbers in which workers that choose by themselves serve a model, JSON; has a time to live. */
export function agreedNumbersKey(fp32Tag: string): string {
  return `${KEY_PREFIX}:{${fp32Tag}}:agreed-numbers`;
}

/** BullMQ's hash of one job. */
export function bullJobKey(tag: string, priority: Priority, jobId: string): string {
  return `${KEY_PREFIX}:${queueName(tag, priority)}:${jobId}`;
}

/** Hash: who feeds a run to one model's workers at present. */
export function feedersKey(tag: string): string {
  return `${KEY_PREFIX}:{${tag}}:feeders`;
}

/** Hash: model tag → what serves it, written by workers; how producers find a model by name. */
export const MODELS_KEY = `${KEY_PREFIX}:models`;
/** The same of models in a numeric form. Producers of versions that know no form must not find them. */
export const FORMED_MODELS_KEY = `${KEY_PREFIX}:models-in-forms`;
/** Sorted set of all runs by the time of their submission, milliseconds since 1970. */
export const RUNS_KEY = `${KEY_PREFIX}:runs-by-time`;
/** Set of the runs in spools that are at work; runners look here for what they may own. */
export const OWNABLE_RUNS_KEY = `${KEY_PREFIX}:ownable-runs`;
/** Hash: id → an access key of the gateway, JSON: its hash, its rights and its limits. */
export const ACCESS_KEYS_KEY = `${KEY_PREFIX}:access-keys`;
/** Set in which version 0.1.0 kept all runs. */
export const OLD_RUNS_KEY = `${KEY_PREFIX}:runs`;

export const runKeys = {
  /** Hash: what was asked, see RunStore. */
  run: (run: string): string => `${KEY_PREFIX}:{run:${run}}`,
  /** Hash: number of a chunk whose jobs have all ended → its counts. */
  closed: (run: string): string => `${KEY_PREFIX}:{run:${run}}:closed`,
  /** String: a few hundred input lines, compressed, with their job ids. */
  chunk: (run: string, chunk: number): string => `${KEY_PREFIX}:{run:${run}}:chunk:${chunk}`,
  /** Hash: job id → times it was found neither queued nor ended. */
  lost: (run: string): string => `${KEY_PREFIX}:{run:${run}}:lost`,
  /** String: who owns the run, feeding and collecting it; renewed while the owner lives. */
  owner: (run: string): string => `${KEY_PREFIX}:{run:${run}}:owner`,
  /** Counter of the run's owners so far. */
  ownerFence: (run: string): string => `${KEY_PREFIX}:{run:${run}}:owner-fence`,
  /** String: the owner's figures, JSON. */
  progress: (run: string): string => `${KEY_PREFIX}:{run:${run}}:progress`,
  /** Set: jobs of a spooled run that are in Redis, so that they can be found without their owner. */
  jobs: (run: string): string => `${KEY_PREFIX}:{run:${run}}:jobs`,
  /** Sorted set: the run's figures of the last minute, by time; how fast it is. */
  samples: (run: string): string => `${KEY_PREFIX}:{run:${run}}:samples`,
  /** The same by whoever counts a part of the run: the two cannot be compared. */
  partSamples: (run: string): string => `${KEY_PREFIX}:{run:${run}}:part-samples`,
  /** Hash: the run's newest figures and its course in a fixed number of points, see RunHistory. */
  history: (run: string): string => `${KEY_PREFIX}:{run:${run}}:history`,
  /** String: who reconciles the run at present. */
  lease: (run: string): string => `${KEY_PREFIX}:{run:${run}}:lease`,
} as const;

/** Sorted set: the runs of batches by the time at which they expire, milliseconds since 1970. */
export const BATCH_EXPIRIES_KEY = `${KEY_PREFIX}:batch-expiries`;

/** Keys of one access key, and of all that its user owns; each has a time to live. */
export const tenantKeys = {
  /** String: when the key's next request may come, milliseconds since 1970. */
  rate: (keyId: string): string => `${KEY_PREFIX}:{key:${keyId}}:rate`,
  /** Sorted set: what holds pairs in flight, by the time at which it lets them go at the latest. */
  holders: (keyId: string): string => `${KEY_PREFIX}:{key:${keyId}}:holders`,
  /** Hash: holder → its pairs; and under `*` their sum. */
  pairs: (keyId: string): string => `${KEY_PREFIX}:{key:${keyId}}:pairs`,
  /** Sorted set: the runs of the key by the time of their submission. */
  runs: (keyId: string): string => `${KEY_PREFIX}:{key:${keyId}}:runs`,
  /** String: the answer to a request with an idempotency key, JSON. */
  once: (keyId: string, hash: string): string => `${KEY_PREFIX}:{key:${keyId}}:once:${hash}`,
  /** Hash: file → what is known of an upload, JSON. */
  files: (keyId: string): string => `${KEY_PREFIX}:{key:${keyId}}:files`,
  /** Hash: file → its bytes, those of uploads under way among them. */
  fileBytes: (keyId: string): string => `${KEY_PREFIX}:{key:${keyId}}:file-bytes`,
} as const;
