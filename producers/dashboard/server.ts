/** Bull Board over the queues of every model on a Redis. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { HonoAdapter } from "@bull-board/hono";
import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Logger } from "pino";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import { ModelQueues } from "../../src/redis/model-queues.js";
import { checkExposure, judge, SECURITY_HEADERS, type AccessRules } from "./access.js";
import { boundConnections } from "../../src/platform/bound-connections.js";
import { GuessLimit } from "../../src/platform/guess-limit.js";
import { errnoOf } from "../../src/platform/file-system-errors.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

export interface DashboardOptions extends AccessRules {
  readonly redis: RedisClient;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logger: Logger;
}

export interface RunningDashboard {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** A model that is served for the first time is shown after this long. */
const SWEEP_INTERVAL_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** The interval at which slow clients are found. */
const CHECK_INTERVAL_MS = 1_000;
const MAX_CONNECTIONS = 64;
/** Most bytes of a body; Bull Board sends some to retry, remove or add a job. */
const MAX_BODY_BYTES = 1_048_576;

/** @throws RankmillError `place_unusable` if it would be open to others, or the address cannot be had */
export async function openDashboard(options: DashboardOptions): Promise<RunningDashboard> {
  const { redis, host, port, password, allowActions, logger } = options;
  checkExposure(host, password);
  const queues = new ModelQueues(redis);
  const show = async (): Promise<BullMQAdapter[]> =>
    (await queues.list()).map(
      ({ title, queue }) =>
        new BullMQAdapter(queue, {
          readOnlyMode: !allowActions,
          allowRetries: allowActions,
          displayName: title,
        }),
    );
  const adapter = new HonoAdapter(serveStatic);
  const board = createBullBoard({
    queues: await show(),
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: "rankmill" } },
  });
  const looking = setInterval(() => {
    show().then(
      (shown) => board.setQueues(shown),
      (error: unknown) => logger.warn({ err: error }, "models could not be listed"),
    );
  }, SWEEP_INTERVAL_MS);
  const app = new Hono();
  app.use(admission(options));
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (context) => context.text("the body is too large\n", 413),
    }),
  );
  app.route("/", adapter.registerPlugin());
  app.onError((error, context) => {
    logger.warn({ err: error }, "dashboard request failed");
    return context.text("an error: see the log\n", 500);
  });
  const server = serve({
    fetch: app.fetch,
    hostname: host,
    port,
    serverOptions: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
  }) as Server;
  boundConnections(server, MAX_CONNECTIONS);
  try {
    if (!server.listening) await once(server, "listening");
  } catch (error) {
    clearInterval(looking);
    const reason = errnoOf(error) ?? String(error);
    const message = wording`${option("dashboardPort")}: cannot listen on ${host} port ${port}: ${reason}`;
    throw new RankmillError("place_unusable", message, {
      field: "dashboardPort",
      place: `${host}:${port}`,
      cause: error,
    });
  }
  return {
    address: server.address() as AddressInfo,
    close: async () => {
      clearInterval(looking);
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await queues.close();
    },
  };
}

/** Lets in who may come in, and slows down who guesses passwords. */
function admission(options: DashboardOptions): MiddlewareHandler {
  const guesses = new GuessLimit(Date.now);
  return async (context, next) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
    const header = (name: string): string | undefined => context.req.header(name);
    const address = getConnInfo(context).remote.address ?? "";
    const hasPassword = header("authorization") !== undefined;
    const pauseMs = hasPassword ? guesses.pauseMs(address) : 0;
    if (pauseMs > 0) {
      context.header("Retry-After", String(Math.ceil(pauseMs / 1_000)));
      return context.text("too many wrong passwords: wait a little\n", 429);
    }
    const access = judge({ method: context.req.method, header }, options);
    if (access.status === "allowed") {
      if (hasPassword) guesses.right(address);
      await next();
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
      return undefined;
    }
    if (access.code === 401) {
      const wrong = hasPassword ? guesses.wrong(address) : undefined;
      if (wrong !== undefined) options.logger.warn({ address, wrong }, "wrong dashboard password");
      context.header("WWW-Authenticate", 'Basic realm="rankmill", charset="UTF-8"');
    }
    return context.text(`${access.reason}\n`, access.code);
  };
}
