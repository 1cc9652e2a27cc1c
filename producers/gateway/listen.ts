/** The server below the gateway's routes: its address, the bounds on its connections, its end. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";
import { boundConnections } from "../../src/platform/bound-connections.js";
import { errnoOf } from "../../src/platform/file-system-errors.js";
import type { GatewayApp } from "./env.js";
import type { ServerTimes } from "./server-times.js";

/** Certificate and private key, as PEM. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Undefined: plain HTTP. */
  readonly tls?: ServerTls | undefined;
  readonly maxConnections: number;
  readonly times: ServerTimes;
}

/** The interval at which slow clients are found. */
const CHECK_INTERVAL_MS = 1_000;
const MAX_HEADER_BYTES = 16_384;
/**
 * Node counts the time until this process has read the headers, as if a busy server were the client's
 * fault. Silent clients are found by {@link cutSilent}; this is for those who send a byte now and then.
 */
const HEADERS_MARGIN = 3;
const IDLE_CHECK_MS = 50;
/** The time for answers to those who still wait at the end. */
const LAST_ANSWERS_MS = 1_000;

/** @throws RankmillError `place_unusable` if the address cannot be had */
export async function listen(app: GatewayApp, options: ListenOptions): Promise<Server> {
  const { host, port, tls, maxConnections, times } = options;
  const serverOptions = {
    requestTimeout: times.requestMs,
    headersTimeout: HEADERS_MARGIN * times.headersMs,
    keepAliveTimeout: times.keepAliveMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const { fetch } = app;
  const server = (
    tls === undefined
      ? createAdaptorServer({ fetch, createServer, serverOptions })
      : createAdaptorServer({
          fetch,
          createServer: createSecureServer,
          serverOptions: { ...serverOptions, ...tls, handshakeTimeout: times.headersMs },
        })
  ) as Server;
  boundConnections(server, maxConnections);
  cutSilent(server, times);
  try {
    // Clients that come at once wait here to be let in; the kernel has a bound of its own (somaxconn).
    server.listen({ host, port, backlog: maxConnections });
    await once(server, "listening");
  } catch (error) {
    const reason = errnoOf(error) ?? String(error);
    throw new RankmillError(
      "place_unusable",
      wording`${option("port")}: cannot listen on ${host} port ${port}: ${reason}`,
      { field: "port", place: `${host}:${port}`, cause: error },
    );
  }
  return server;
}

/**
 * Cuts off connections that say nothing: before their first request, since Node's own times begin with its
 * first byte, and in the middle of a body.
 */
function cutSilent(server: Server, { headersMs, readMs }: ServerTimes): void {
  // Without a listener Node destroys at once whoever is late.
  server.on("timeout", cutIfSilent);
  for (const event of ["connection", "secureConnection"]) {
    server.on(event, (socket: Socket) => socket.setTimeout(headersMs, () => cutIfSilent(socket)));
  }
  server.on("request", (incoming, outgoing) => {
    const { socket, method } = incoming;
    const sends = method !== "GET" && method !== "HEAD";
    socket.setTimeout(sends ? readMs : 0);
    // A client that has said all waits, and says nothing meanwhile; after its answer Node's own time counts.
    incoming.once("end", () => {
      if (!outgoing.writableEnded) socket.setTimeout(0);
    });
  });
}

/** A client may have said something that this process was too busy to read: it is read first. */
function cutIfSilent(socket: Socket): void {
  const { bytesRead } = socket;
  setImmediate(() => {
    if (socket.bytesRead === bytesRead) socket.destroy();
  });
}

/**
 * Takes no more connections, and waits for the requests under way.
 *
 * @param stopping is aborted after `ms`, so that those who still wait get an answer
 */
export async function closeServer(
  server: Server,
  stopping: AbortController,
  ms: number,
): Promise<void> {
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
