/** The dashboard: pages for runs, and Bull Board for queues where its packages are installed. */
import { once, setMaxListeners } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Logger } from "pino";
import type { Runs } from "../../src/app/runs/runs.js";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import { boundConnections } from "../../src/platform/bound-connections.js";
import { errnoOf } from "../../src/platform/file-system-errors.js";
import { addLoginRoutes, sessionOf } from "../page/login-routes.js";
import { addPageRoutes } from "../page/routes.js";
import { listServedBy } from "../page/served-by.js";
import { Links, PAGE_FILES } from "../page/shell.js";
import type { Viewer } from "../page/viewer.js";
import { AllRuns } from "./all-runs.js";
import { boundStreams } from "./bound-streams.js";
import { checkExposure, isFromOwnPage, type AccessRules } from "./access.js";
import { Admission } from "./admission.js";
import type { QueuesBoard } from "./queues-board.js";

export interface DashboardOptions extends AccessRules {
  readonly runs: Runs;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Whether queries and documents are shown. */
  readonly showTexts: boolean;
  readonly logger: Logger;
}

export interface RunningDashboard {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** The interval at which slow clients are found. */
const CHECK_INTERVAL_MS = 1_000;
const MAX_CONNECTIONS = 64;
/** Most bytes of a body; Bull Board sends some to retry, remove or add a job. */
const MAX_BODY_BYTES = 1_048_576;
const QUEUES_PATH = "/queues";

/** @throws RankmillError `place_unusable` if it would be open to others, or the address cannot be had */
export async function openDashboard(options: DashboardOptions): Promise<RunningDashboard> {
  const { host, password } = options;
  checkExposure(host, password);
  const board = await openBoard(options);
  const stopping = new AbortController();
  // Each page that is watched listens.
  setMaxListeners(0, stopping.signal);
  try {
    const server = await listen(makeApp(options, board, stopping.signal), options);
    return {
      address: server.address() as AddressInfo,
      close: async () => {
        stopping.abort();
        const closed = once(server, "close");
        server.close();
        server.closeAllConnections();
        await closed;
        await board?.close();
      },
    };
  } catch (error) {
    await board?.close();
    throw error;
  }
}

function makeApp(
  options: DashboardOptions,
  board: QueuesBoard | undefined,
  stopping: AbortSignal,
): Hono {
  const { logger } = options;
  const links = new Links("");
  const files = Object.values(PAGE_FILES).map((file) => links.file(file));
  const open = new Set(["/login", "/logout", ...files]);
  const admission = new Admission({ ...options, links, open });
  const { sessions } = admission;
  const app = new Hono();
  app.use(admission.middleware);
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: (context) => context.text("the body is too large\n", 413),
    }),
  );
  if ((options.password ?? "") !== "") {
    addLoginRoutes(app, {
      links,
      sessions,
      secret: "Password",
      isFromOwnPage: ({ req }) => isFromOwnPage({ header: (name) => req.header(name) }),
      signIn: (context, secret) => admission.signIn(context, secret),
    });
  }
  addPageRoutes(app, {
    viewerOf: viewerOf(options),
    links,
    queues: QUEUES_PATH,
    takeStream: boundStreams(),
    stopping,
    logger,
    hasSession: (context) => sessionOf(context, sessions) !== undefined,
    formToken: (context) => sessions.formToken(sessionOf(context, sessions)?.token),
    isFormToken: (context, given) =>
      sessions.isFormToken(given, sessionOf(context, sessions)?.token),
  });
  if (board === undefined) app.get(QUEUES_PATH, (context) => context.text(NO_BOARD));
  else app.route(QUEUES_PATH, board.routes);
  return app;
}

/** Whoever was let in sees everything. */
function viewerOf({ runs, allowActions, showTexts }: DashboardOptions): () => Viewer {
  const viewer: Viewer = {
    runs: new AllRuns(runs),
    showsTexts: showTexts,
    showsHosts: true,
    mayAct: allowActions,
    ways: {
      submit: "rankmill submit --input FILE --model NAME",
      failures: (run) => `rankmill failures ${run}`,
    },
    workers: async () => await listServedBy(runs.redis),
  };
  return () => viewer;
}

const PACKAGES = ["@bull-board/api", "@bull-board/hono"];
const NO_BOARD = `Queues are shown by Bull Board, whose packages are not installed: npm install ${PACKAGES.join(" ")}\n`;

/** @returns undefined if its packages are not installed: runs are shown without it */
async function openBoard(options: DashboardOptions): Promise<QueuesBoard | undefined> {
  try {
    const { openQueuesBoard } = await import("./queues-board.js");
    const { redis } = options.runs;
    return await openQueuesBoard({ ...options, redis, path: QUEUES_PATH });
  } catch (error) {
    if (errnoOf(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    options.logger.info("no page for queues: %s are not installed", PACKAGES.join(" and "));
    return undefined;
  }
}

async function listen(app: Hono, { host, port }: DashboardOptions): Promise<Server> {
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
    return server;
  } catch (error) {
    const reason = errnoOf(error) ?? String(error);
    const message = wording`${option("dashboardPort")}: cannot listen on ${host} port ${port}: ${reason}`;
    throw new RankmillError("place_unusable", message, {
      field: "dashboardPort",
      place: `${host}:${port}`,
      cause: error,
    });
  }
}
