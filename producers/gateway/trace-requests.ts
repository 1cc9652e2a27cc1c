import type { MiddlewareHandler } from "hono";
import { PROBE_PATHS } from "./authentication.js";
import type { GatewayEnv } from "./env.js";
import { routeOf } from "./route-of.js";

/** A request as its span tells of it. */
export interface TracedRequest {
  readonly method: string;
  readonly requestId: string;
  /** @param name in lower case: `traceparent` */
  readonly header: (name: string) => string | undefined;
}

/** The end of a request. */
export interface TracedEnd {
  /** As the gateway names it, never as a client wrote it. */
  readonly route: string;
  readonly status: number;
}

/** Does the work of a request within a span, which is a child of the client's if it names one. */
export type TraceRequest = (
  request: TracedRequest,
  work: () => Promise<TracedEnd>,
) => Promise<void>;

/** Jobs that a request enqueues are children of its span. Probes have none. */
export function traceRequests(trace: TraceRequest): MiddlewareHandler<GatewayEnv> {
  return async (context, next) => {
    if (PROBE_PATHS.has(context.req.path)) return await next();
    const { method } = context.req;
    const header = (name: string): string | undefined => context.req.header(name);
    await trace({ method, requestId: context.get("requestId"), header }, async () => {
      await next();
      return { route: routeOf(context), status: context.res.status };
    });
  };
}
