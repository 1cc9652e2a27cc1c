import type { MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import type { FinishedRequest } from "../../src/telemetry/metrics/gateway-metrics.js";
import { PROBE_PATHS } from "./authentication.js";
import type { GatewayEnv } from "./env.js";
import { routeOf } from "./route-of.js";

/** The status of a request whose client hung up, as nginx logs it; nobody ever sees it. */
const HUNG_UP = 499;

export interface AccessLogOptions {
  /** Told of every request that is over. */
  readonly onFinished: (request: FinishedRequest) => void;
  /** A client that takes nothing of its answer for this long is cut off, in milliseconds. */
  readonly writeMs: number;
}

/** Writes a line per request: no text of it, and no word but the model's name. */
export function accessLog(
  logger: Logger,
  { onFinished, writeMs }: AccessLogOptions,
): MiddlewareHandler<GatewayEnv> {
  return async (context, next) => {
    const startMs = performance.now();
    await next();
    const { outgoing } = context.env;
    let isCut = false;
    outgoing.setTimeout(writeMs, () => {
      isCut = true;
      outgoing.destroy();
    });
    const { method, path } = context.req;
    const { status: answered } = context.res;
    const route = routeOf(context);
    const finish = (): void => {
      // An answer that was handed over in one piece counts as finished, wherever its bytes are.
      const status = outgoing.writableFinished && !isCut ? answered : HUNG_UP;
      const tookMs = Math.round(performance.now() - startMs);
      onFinished({ route, status, tookMs });
      // A line per probe would fill the log.
      if (PROBE_PATHS.has(path)) return;
      const { keyId } = context.get("caller") ?? {};
      const line = { requestId: context.get("requestId"), method, route, status, tookMs, keyId };
      const facts = context.get("facts");
      if (status < 500) logger.info({ ...line, ...facts }, "request");
      else logger.warn({ ...line, ...facts, err: context.get("failure") }, "request failed");
    };
    if (outgoing.destroyed) finish();
    else outgoing.once("close", finish);
  };
}
