/** Opens the score cache of a worker: decides for whom its scores are the same to the bit. */
import type { Logger } from "pino";
import { RankmillError } from "../../core/errors.js";
import { option, wording } from "../../core/wording.js";
import { readCpuFeatures } from "../../inference/host/cpu-features.js";
import { deviceOf } from "../../inference/devices/registry.js";
import { runtimeOf } from "../../inference/runtime/registry.js";
import type { ResolvedModel } from "../../models/resolve.js";
import { RedisScoreCache } from "../../redis/redis-score-cache.js";
import { scoreScope } from "../../redis/score-key.js";
import type { LanePlan } from "../../capacity/lane-plan.js";
import type { RedisClient } from "../../redis/redis-client.js";

export interface ScoreCacheRequest {
  readonly redis: RedisClient;
  readonly tag: string;
  readonly model: ResolvedModel;
  readonly plan: Pick<LanePlan, "keepsBits" | "limits" | "laneModel">;
  readonly logger: Logger;
}

/** Bumped when a logit comes to depend on something that is not among the parts of the scope. */
const SCOPE_FORMAT = 2;

/**
 * @param capacityBytes of Redis, for this model's scores; 0: none are kept
 * @throws RankmillError `usage` if a pair's score may depend on its batch: a cached one would be
 *   one of several
 */
export async function openScoreCache(
  capacityBytes: number,
  request: ScoreCacheRequest,
): Promise<RedisScoreCache | undefined> {
  if (capacityBytes === 0) return undefined;
  const { redis, tag, model, plan, logger } = request;
  const { laneModel } = plan;
  if (!plan.keepsBits) {
    const why = deviceOf(laneModel.device).keepsBits
      ? wording`with ${plan.limits.maxBatchSize} rows per batch, a score may depend on its batch; leave out ${option("maxBatchSize")}, or the cache`
      : "on a GPU a score may depend on its batch; leave it out";
    throw new RankmillError("invalid_option", wording`${option("scoreCacheBytes")}: ${why}`, {
      field: "scoreCacheBytes",
    });
  }
  const cpu = await readCpuFeatures();
  const { prepared, unmasked, exactInt8, device, intraOpThreads, padId, segmentTypeIds } =
    laneModel;
  const cache = await RedisScoreCache.open(redis, {
    tag,
    scope: scoreScope([
      SCOPE_FORMAT,
      tag,
      model.digest,
      model.precision,
      await runtimeOf(laneModel.runtime?.kind).version(),
      cpu.arch,
      cpu.flags ?? cpu.model,
      prepared ?? false,
      unmasked ?? false,
      exactInt8 ?? false,
      device,
      intraOpThreads,
      padId,
      segmentTypeIds,
    ]),
    capacityBytes,
    onError: (error) => logger.warn({ err: error }, "score cache not used for a while"),
  });
  logger.info({ capacityBytes, capacityPairs: cache.capacityPairs }, "score cache in Redis");
  return cache;
}
