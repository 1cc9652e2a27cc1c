import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface SeenIndexRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** The faults of the next requests for a file; each is used once. */
export type IndexMishap =
  | { readonly kind: "break"; readonly afterBytes: number }
  | { readonly kind: "status"; readonly status: number };

/** A Python package index that serves files with ranges, in either of its two forms, and what goes wrong. */
export class IndexServer {
  readonly requests: SeenIndexRequest[] = [];
  /** The files by project, then by file name. */
  readonly projects = new Map<string, Map<string, Buffer>>();
  readonly mishaps: IndexMishap[] = [];
  json = true;
  #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<IndexServer> {
    const server = new IndexServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}/simple`;
  }

  fileRequests(): SeenIndexRequest[] {
    return this.requests.filter(({ path }) => path.startsWith("/files/"));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const { range, authorization } = request.headers;
    this.requests.push({ path, range, authorization });
    const [, kind, project = "", file = ""] = path.split("/");
    const files = this.projects.get(project);
    if (kind === "simple" && files !== undefined) {
      this.#list(response, project, [...files.keys()]);
      return;
    }
    const bytes = files?.get(decodeURIComponent(file));
    if (kind !== "files" || bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    this.#send(response, bytes, range);
  }

  #list(response: ServerResponse, project: string, names: readonly string[]): void {
    if (this.json) {
      response.setHeader("content-type", "application/vnd.pypi.simple.v1+json");
      const files = names.map((filename) => ({ filename, url: `/files/${project}/${filename}` }));
      response.end(JSON.stringify({ files }));
      return;
    }
    response.setHeader("content-type", "text/html");
    const links = names.map(
      (name) =>
        `<a href="../../files/${project}/${name}#sha256=00" data-requires-python="&gt;=3.11">${name}</a><br/>`,
    );
    response.end(`<!DOCTYPE html><html><body>${links.join("\n")}</body></html>`);
  }

  #send(response: ServerResponse, bytes: Buffer, range: string | undefined): void {
    const mishap = this.mishaps.shift();
    if (mishap?.kind === "status") {
      response.writeHead(mishap.status).end();
      return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const rest = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      "content-length": rest.length,
      ...(start > 0
        ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
        : {}),
    });
    if (mishap === undefined) response.end(rest);
    else response.write(rest.subarray(0, mishap.afterBytes), () => response.destroy());
  }
}
