import { modelTag } from "../../../redis/keys.js";
import { listServedModels } from "../../../redis/model-registry.js";
import { countUnheld } from "../../../redis/unheld-jobs.js";
import type { Check } from "../check.js";
import { ok, warning } from "../finding.js";

/** Models looked at, at most: each costs two questions. */
const MAX_MODELS = 64;

/** Each job that is in hand has a worker that holds it. */
export const redisJobs: Check = {
  name: "redis-jobs",
  needs: "redis",
  run: async ({ redis }) => {
    const tags = (await listServedModels(redis)).map(modelTag).slice(0, MAX_MODELS);
    let unheld = 0;
    for (const tag of tags) unheld += await countUnheld(redis, tag);
    if (unheld === 0) return [ok("every active job is held by a worker")];
    return [
      warning(
        `${unheld} jobs are active and nobody holds them`,
        "start a worker of their model: it hands them out again within a minute",
      ),
    ];
  },
};
