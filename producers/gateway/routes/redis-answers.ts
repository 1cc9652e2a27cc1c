/** A look at Redis before the routes of what callers own: without it they would wait for its return. */
import type { MiddlewareHandler } from "hono";
import { RankmillError } from "../../../src/core/errors.js";
import { waitAtMost } from "../../../src/platform/wait-at-most.js";
import type { GatewayParts, RouteModule } from "../env.js";

const ANSWER_WITHIN_MS = 2_500;
const PATHS = ["jobs", "runs", "events", "files", "batches"].map((name) => `/v1/${name}/*`);

export const redisAnswers: RouteModule = (app, parts) => {
  for (const path of PATHS) app.use(path, askRedis(parts));
};

export function askRedis({ redis }: Pick<GatewayParts, "redis">): MiddlewareHandler {
  return async (_, next) => {
    const { status } = await waitAtMost(redis.ping(), ANSWER_WITHIN_MS);
    if (status === "settled") return await next();
    const message = `Redis has not answered for ${ANSWER_WITHIN_MS} ms`;
    throw new RankmillError("redis_unavailable", message);
  };
}
