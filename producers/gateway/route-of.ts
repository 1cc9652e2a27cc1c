import type { Context } from "hono";
import { routePath } from "hono/route";
import type { GatewayEnv } from "./env.js";

/** The route of a request that was answered. A path that no route has may be anything, and is told nowhere. */
export function routeOf(context: Context<GatewayEnv>): string {
  const matched = routePath(context, -1);
  return matched.endsWith("*") ? "other" : matched;
}
