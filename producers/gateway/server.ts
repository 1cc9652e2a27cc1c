/** The gateway's server: open, listen, close. */
import { setMaxListeners } from "node:events";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { Gateway } from "../../src/app/gateway/gateway.js";
import { CallerLimitKeeper } from "../../src/app/tenants/caller-limits.js";
import { openTenants, type TenantsOptions } from "../../src/app/tenants/tenants.js";
import type { ModelNames } from "../../src/app/gateway/served-models.js";
import type { Limits } from "../../src/core/contract.js";
import type { Instruments } from "../../src/app/worker/instruments.js";
import { countRequests, type GatewayFigures } from "../../src/telemetry/metrics/gateway-metrics.js";
import { allowedHosts } from "./allowed-hosts.js";
import { makeApp } from "./app.js";
import type { Authenticate } from "./authentication.js";
import { unreadiness } from "./readiness.js";
import { closeServer, listen, type ServerTls } from "./listen.js";
import { DEFAULT_TIMES, type ServerTimes } from "./server-times.js";
import { MODULES } from "./modules.js";
import type { PagesOptions } from "./pages/add-pages.js";
import { BodyReader, type BodyBounds } from "./read-body.js";
import type { TraceRequest } from "./trace-requests.js";
import { Waiting } from "./waiting.js";
import { StreamSlots } from "./stream-slots.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

export interface GatewayServerOptions {
  readonly redis: RedisClient;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  readonly names: ModelNames;
  readonly limits: Limits;
  readonly maxListDocuments: number;
  readonly bounds: Omit<BodyBounds, "bodyMs">;
  readonly maxWaitingClients: number;
  readonly deadlineMs: number;
  readonly strictDocuments: boolean;
  /** The place of what callers own, and its bounds. */
  readonly tenancy: Pick<TenantsOptions, "spool" | "env" | "uploads" | "batchExpirySeconds">;
  readonly graceMs?: number;
  /** Names beside the loopback's by which requests may ask for a gateway on the loopback. */
  readonly allowedHosts: readonly string[];
  /** Whether `X-Forwarded-For` comes from a proxy of the operator's own. */
  readonly trustsProxy: boolean;
  /** Undefined: plain HTTP. */
  readonly tls?: ServerTls | undefined;
  readonly times?: ServerTimes;
  /** Pages for runs; undefined: none. */
  readonly pages: Pick<PagesOptions, "showTexts"> | undefined;
  /** Undefined if nobody asks for traces. */
  readonly trace?: TraceRequest | undefined;
  /** Undefined if nobody asks for metrics. */
  readonly instruments: Instruments | undefined;
}

export interface RunningGateway {
  readonly address: AddressInfo;
  /** Takes no more requests, and finishes those under way, within `ms`; the others are told to come again. */
  close(ms: number): Promise<void>;
}

/** Beside those of clients that wait: probes, and clients that read their answers. */
const MORE_CONNECTIONS = 1_024;

/** @throws RankmillError `place_unusable` if the address cannot be had */
export async function openGateway(options: GatewayServerOptions): Promise<RunningGateway> {
  const { redis, names, limits, maxListDocuments, graceMs, logger, deadlineMs } = options;
  const { strictDocuments, trustsProxy, times = DEFAULT_TIMES } = options;
  const stopping = new AbortController();
  const closing = new AbortController();
  // Every request that waits listens to them.
  setMaxListeners(0, stopping.signal, closing.signal);
  const gateway = new Gateway({
    redis,
    names,
    limits,
    maxListDocuments,
    ...(graceMs !== undefined && { graceMs }),
    onError: (error) => logger.warn({ err: error }, "jobs could not be let go; their keys expire"),
  });
  const bodies = new BodyReader({ ...options.bounds, bodyMs: times.bodyMs });
  const waiting = new Waiting(options.maxWaitingClients);
  const keeper = new CallerLimitKeeper(redis);
  const onError = (error: unknown): void =>
    logger.warn({ err: error }, "uploads or batches whose time is over could not be ended");
  const tenants = await openTenants({ ...options.tenancy, redis, limits, keeper, onError });
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
    trustsProxy,
    pages: options.pages && { ...options.pages, closing: closing.signal },
    trace: options.trace,
    writeMs: times.writeMs,
    isHostAllowed: allowedHosts(options.host, options.allowedHosts),
  });
  const server = await listen(app, {
    host: options.host,
    port: options.port,
    tls: options.tls,
    maxConnections: options.maxWaitingClients + MORE_CONNECTIONS,
    times,
  });
  options.instruments?.judgeBy({ report: () => judge(gateway, stopping.signal) });
  return {
    address: server.address() as AddressInfo,
    close: async (ms) => {
      closing.abort();
      await closeServer(server, stopping, ms);
      await tenants.close();
      await gateway.close();
    },
  };
}

async function judge(gateway: Gateway, stopping: AbortSignal): Promise<{ reason: string | null }> {
  return { reason: (await unreadiness(gateway, stopping)) ?? null };
}
