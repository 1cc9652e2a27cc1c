/** The gateway's server: open, listen, close. */
import { once, setMaxListeners } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { Gateway } from "../../src/app/gateway/gateway.js";
import { CallerLimitKeeper } from "../../src/app/tenants/caller-limits.js";
import { openTenants, type TenantsOptions } from "../../src/app/tenants/tenants.js";
import type { ModelNames } from "../../src/app/gateway/served-models.js";
import type { Limits } from "../../src/core/contract.js";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import { boundConnections } from "../../src/platform/bound-connections.js";
import { errnoOf } from "../../src/platform/file-system-errors.js";
import type { Instruments } from "../../src/app/worker/instruments.js";
import { countRequests, type GatewayFigures } from "../../src/telemetry/metrics/gateway-metrics.js";
import { allowedHosts } from "./allowed-hosts.js";
import { makeApp } from "./app.js";
import type { Authenticate } from "./authentication.js";
import { unreadiness } from "./readiness.js";
import { MODULES } from "./modules.js";
import { BodyReader, type BodyBounds } from "./read-body.js";
import { Waiting } from "./waiting.js";
import { StreamSlots } from "./stream-slots.js";

export interface GatewayServerOptions {
  readonly redis: Redis;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  readonly names: ModelNames;
  readonly limits: Limits;
  readonly maxListDocuments: number;
  readonly bounds: BodyBounds;
  readonly maxWaitingClients: number;
  readonly deadlineMs: number;
  readonly strictDocuments: boolean;
  /** The place of what callers own, and its bounds. */
  readonly tenancy: Pick<TenantsOptions, "spool" | "env" | "uploads">;
  readonly graceMs?: number;
  /** Names beside the loopback's by which requests may ask for a gateway on the loopback. */
  readonly allowedHosts: readonly string[];
  /** Undefined if nobody asks for metrics. */
  readonly instruments: Instruments | undefined;
}

export interface RunningGateway {
  readonly address: AddressInfo;
  /** Takes no more requests, and finishes those under way, within `ms`; the others are told to come again. */
  close(ms: number): Promise<void>;
}

/** A body of the largest size on a slow line. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** The interval at which slow clients are found. */
const CHECK_INTERVAL_MS = 1_000;
/** Longer than balancers keep theirs: a connection is not closed under a request of theirs. */
const KEEP_ALIVE_MS = 75_000;
/** Beside those of clients that wait: probes, and clients that read their answers. */
const MORE_CONNECTIONS = 1_024;
const IDLE_CHECK_MS = 50;
/** The time for answers to those who still wait at the end. */
const LAST_ANSWERS_MS = 1_000;

/** @throws RankmillError `place_unusable` if the address cannot be had */
export async function openGateway(options: GatewayServerOptions): Promise<RunningGateway> {
  const { redis, names, limits, maxListDocuments, graceMs, logger, deadlineMs } = options;
  const { strictDocuments } = options;
  const stopping = new AbortController();
  // Every request that waits listens to it.
  setMaxListeners(0, stopping.signal);
  const gateway = new Gateway({
    redis,
    names,
    limits,
    maxListDocuments,
    ...(graceMs !== undefined && { graceMs }),
    onError: (error) => logger.warn({ err: error }, "jobs could not be let go; their keys expire"),
  });
  const bodies = new BodyReader(options.bounds);
  const waiting = new Waiting(options.maxWaitingClients);
  const keeper = new CallerLimitKeeper(redis);
  const onError = (error: unknown): void =>
    logger.warn({ err: error }, "uploads whose time is over could not be removed");
  const tenants = openTenants({ ...options.tenancy, redis, limits, keeper, onError });
  const parts = {
    gateway,
    redis,
    bodies,
    waiting,
    keeper,
    tenants,
    slots: new StreamSlots(),
    streams: { limits, ...options.tenancy.uploads },
    logger,
    deadlineMs,
    strictDocuments,
    stopping: stopping.signal,
  };
  const figures = (): GatewayFigures => ({
    waitingClients: waiting.clients,
    bodyBytes: bodies.inFlightBytes,
  });
  const metrics = options.instruments?.metrics;
  const app = makeApp(parts, MODULES, {
    authenticate: options.authenticate,
    onFinished: metrics === undefined ? () => {} : countRequests(metrics, figures),
    isHostAllowed: allowedHosts(options.host, options.allowedHosts),
  });
  const server = serve({
    fetch: app.fetch,
    hostname: options.host,
    port: options.port,
    serverOptions: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
  }) as Server;
  boundConnections(server, options.maxWaitingClients + MORE_CONNECTIONS);
  await listening(server, options);
  options.instruments?.judgeBy({ report: () => judge(gateway, stopping.signal) });
  return {
    address: server.address() as AddressInfo,
    close: async (ms) => {
      await closeServer(server, stopping, ms);
      await tenants.close();
      await gateway.close();
    },
  };
}

async function judge(gateway: Gateway, stopping: AbortSignal): Promise<{ reason: string | null }> {
  return { reason: (await unreadiness(gateway, stopping)) ?? null };
}

async function listening(server: Server, { host, port }: GatewayServerOptions): Promise<void> {
  try {
    if (!server.listening) await once(server, "listening");
  } catch (error) {
    const reason = errnoOf(error) ?? String(error);
    throw new RankmillError(
      "place_unusable",
      wording`${option("port")}: cannot listen on ${host} port ${port}: ${reason}`,
      { field: "port", place: `${host}:${port}`, cause: error },
    );
  }
}

async function closeServer(server: Server, stopping: AbortController, ms: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  // A connection that has had its answer would stay open for the next request.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const stop = setTimeout(() => stopping.abort(), ms);
  const cut = setTimeout(() => server.closeAllConnections(), ms + LAST_ANSWERS_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(stop);
  clearTimeout(cut);
}
