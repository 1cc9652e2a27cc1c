import type { HttpBindings } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "pino";
import type { Gateway } from "../../src/app/gateway/gateway.js";
import type { CallerLimitKeeper } from "../../src/app/tenants/caller-limits.js";
import type { StreamBounds } from "../../src/app/tenants/streamed-source.js";
import type { Tenants } from "../../src/app/tenants/tenants.js";
import type { Caller } from "../../src/core/caller.js";
import type { BodyReader } from "./read-body.js";
import type { Waiting } from "./waiting.js";
import type { StreamSlots } from "./stream-slots.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

/** Facts of a request for its line in the log. Never a text of the request. */
export interface RequestFacts {
  model?: string;
  documents?: number;
  bytes?: number;
}

/** The values that handlers find in their context. */
export interface GatewayEnv {
  Bindings: HttpBindings;
  Variables: {
    /** Whoever asks; of an open route, the local caller without rights. */
    caller: Caller;
    /** The client's `X-Request-Id`, or one of our own. */
    requestId: string;
    facts: RequestFacts;
    /** The error that the answer tells of. */
    failure?: unknown;
  };
}

export type GatewayApp = Hono<GatewayEnv>;

/** The parts that all routes work with. */
export interface GatewayParts {
  readonly gateway: Gateway;
  readonly redis: RedisClient;
  readonly bodies: BodyReader;
  readonly waiting: Waiting;
  /** The limits of callers' keys. */
  readonly keeper: CallerLimitKeeper;
  readonly tenants: Tenants;
  /** The bounds of bodies that are read as streams. */
  readonly streams: StreamBounds;
  /** Long answers under way. */
  readonly slots: StreamSlots;
  readonly logger: Logger;
  readonly deadlineMs: number;
  /** A document that cannot be scored fails its request. */
  readonly strictDocuments: boolean;
  /** Aborts when the process is told to stop: whoever waits then is told to come again. */
  readonly stopping: AbortSignal;
}

/** A group of routes: adds them to the app. */
export type RouteModule = (app: GatewayApp, parts: GatewayParts) => void;
