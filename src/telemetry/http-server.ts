import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RankmillError } from "../core/errors.js";
import { option, wording } from "../core/wording.js";
import { boundConnections } from "../platform/bound-connections.js";
import { errnoOf } from "../platform/file-system-errors.js";

export interface InstrumentServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** The reason why the process is of no use now; undefined if it is. */
  readonly unfitReason: () => Promise<string | undefined>;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
}

/** A scraper and a prober or two, with room for those that went away without a word. */
const MAX_CONNECTIONS = 64;
/** For the whole of a request: they have no body, and whoever dribbles one is cut off. */
const REQUEST_TIMEOUT_MS = 5_000;
/** The interval at which slow clients are found. */
const CHECK_INTERVAL_MS = 1_000;
const MAX_HEADER_BYTES = 8_192;
/** Between two scrapes, of the usual 15 s. */
const KEEP_ALIVE_MS = 20_000;

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const TEXT = "text/plain; charset=utf-8";

/**
 * `/healthz`, `/readyz` and `/metrics`, for probes and scrapers. It reads nothing but the request's
 * first line, tells no secrets and changes nothing, and so asks for no password; its default address
 * is the loopback all the same.
 */
export class InstrumentServer {
  readonly address: AddressInfo;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.address = server.address() as AddressInfo;
  }

  /** @throws RankmillError `place_unusable` if the address cannot be had */
  static async listen(options: InstrumentServerOptions): Promise<InstrumentServer> {
    const server = createServer(
      {
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      (request, response) => void serve(request, response, options),
    );
    boundConnections(server, MAX_CONNECTIONS);
    // One that never sends a request at all.
    server.timeout = KEEP_ALIVE_MS;
    const { host, port } = options;
    server.listen(port, host);
    try {
      await once(server, "listening");
    } catch (error) {
      const reason = errnoOf(error) ?? String(error);
      throw new RankmillError(
        "place_unusable",
        wording`${option("metricsPort")}: cannot listen on ${host} port ${port}: ${reason}`,
        { field: "metricsPort", place: `${host}:${port}`, cause: error },
      );
    }
    // It must not keep a process alive that has nothing else to do.
    server.unref();
    return new InstrumentServer(server);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: InstrumentServerOptions,
): Promise<void> {
  const answer = await answerTo(request, options).catch((): Answer => {
    return { status: 500, contentType: TEXT, body: "an error: see the log\n" };
  });
  response.writeHead(answer.status, {
    "Content-Type": answer.contentType,
    "Content-Length": Buffer.byteLength(answer.body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(answer.status === 405 ? { Allow: "GET, HEAD", Connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

async function answerTo(
  { method, url = "" }: IncomingMessage,
  { metrics, unfitReason }: InstrumentServerOptions,
): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, contentType: TEXT, body: "GET and HEAD only\n" };
  }
  const [path = ""] = url.split("?", 1);
  switch (path) {
    case "/healthz":
      return { status: 200, contentType: TEXT, body: "alive\n" };
    case "/readyz": {
      const reason = await unfitReason();
      if (reason === undefined) return { status: 200, contentType: TEXT, body: "ready\n" };
      return { status: 503, contentType: TEXT, body: `${reason}\n` };
    }
    case "/metrics":
      return { status: 200, contentType: metrics.contentType, body: await metrics.render() };
    default:
      return { status: 404, contentType: TEXT, body: "/healthz, /readyz, /metrics\n" };
  }
}
