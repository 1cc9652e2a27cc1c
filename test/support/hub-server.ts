import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** The requests of clients, in order of arrival. */
export interface SeenRequest {
  /** `listing`, `resolve` (the hub's own answer) or `content` (where a redirect led to). */
  readonly kind: "listing" | "resolve" | "content";
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface HubRepository {
  /** The commit that `main` points to. */
  readonly commit: string;
  readonly files: ReadonlyMap<string, Buffer>;
  /** A mirror that lists names alone. */
  readonly hideContents?: boolean;
}

/** The faults of the next requests for a file's content; each is used once. */
export type Mishap =
  | { readonly kind: "break"; readonly afterBytes: number }
  | { readonly kind: "status"; readonly status: number }
  /** Sends the beginning, then waits for `release()` or `cut()`. */
  | { readonly kind: "hold"; readonly afterBytes: number };

/** Files of at least this size are kept as the hub keeps LFS files: by sha256, behind a redirect. */
const LFS_BYTES = 4096;

/**
 * A hub that speaks what a pull needs of the real one's API: listings with blobs, redirects to
 * another host for large files, ranges, tokens. And everything that goes wrong on the way.
 */
export class HubServer {
  readonly requests: SeenRequest[] = [];
  readonly #repositories = new Map<string, HubRepository>();
  readonly #mishaps = new Map<string, Mishap[]>();
  readonly #replaced = new Map<string, Buffer>();
  readonly #sockets = new Set<Socket>();
  readonly #hub: Server;
  /** Another port is another origin: a client must not carry its token there. */
  readonly #contents: Server;
  #held: { readonly finish: () => void; readonly cut: () => void }[] = [];
  connections = 0;
  requiredToken: string | undefined;
  ignoreRanges = false;

  private constructor() {
    this.#hub = createServer((request, response) => {
      this.#answer(request, response);
    });
    this.#contents = createServer((request, response) => {
      this.#answer(request, response);
    });
    for (const server of [this.#hub, this.#contents]) {
      server.on("connection", (socket: Socket) => {
        this.connections += 1;
        this.#sockets.add(socket);
        socket.on("close", () => this.#sockets.delete(socket));
      });
    }
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    await Promise.all([server.#hub, server.#contents].map((each) => listen(each)));
    return server;
  }

  get endpoint(): string {
    return addressOf(this.#hub);
  }

  add(id: string, repository: HubRepository): void {
    this.#repositories.set(id, repository);
  }

  /** Queues what befalls the next requests for the content of `path`. */
  befall(path: string, ...mishaps: Mishap[]): void {
    this.#mishaps.set(path, [...(this.#mishaps.get(path) ?? []), ...mishaps]);
  }

  /** Delivers other bytes than the ones listed. */
  deliverInstead(path: string, bytes: Buffer): void {
    this.#replaced.set(path, bytes);
  }

  /** Sends the rest of what is held. */
  release(): void {
    for (const held of this.#held.splice(0)) held.finish();
  }

  /** Breaks the connections of what is held. */
  cut(): void {
    for (const held of this.#held.splice(0)) held.cut();
  }

  contentRequests(path?: string): SeenRequest[] {
    return this.requests.filter(
      (request) => request.kind !== "listing" && (path === undefined || request.path === path),
    );
  }

  async close(): Promise<void> {
    this.release();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      [this.#hub, this.#contents].map((server) => new Promise((done) => server.close(done))),
    );
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://hub");
    const listing = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/(.+)$/.exec(url.pathname);
    if (listing !== null) {
      this.#list(request, response, listing[1] ?? "", decodeURIComponent(listing[2] ?? ""));
      return;
    }
    const content = /^\/(content\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    if (content === null) {
      response.writeHead(404).end();
      return;
    }
    const [, redirected, id = "", revision = "", path = ""] = content;
    this.#deliver(request, response, { redirected: redirected !== undefined, id, revision, path });
  }

  #list(request: IncomingMessage, response: ServerResponse, id: string, revision: string): void {
    this.#see("listing", id, request);
    const repository = this.#find(id, revision);
    if (!this.#admits(request, response)) return;
    if (repository === undefined) {
      response.writeHead(404).end(JSON.stringify({ error: "Repository not found" }));
      return;
    }
    const siblings = [...repository.files].map(([path, bytes]) =>
      repository.hideContents === true ? { rfilename: path } : describe(path, bytes),
    );
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ id, sha: repository.commit, siblings }));
  }

  #deliver(
    request: IncomingMessage,
    response: ServerResponse,
    wanted: { redirected: boolean; id: string; revision: string; path: string },
  ): void {
    const { id, revision, path, redirected } = wanted;
    this.#see(redirected ? "content" : "resolve", path, request);
    if (!redirected && !this.#admits(request, response)) return;
    const original = this.#find(id, revision)?.files.get(path);
    if (original === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (!redirected && original.length >= LFS_BYTES) {
      const location = `${addressOf(this.#contents)}/content/${id}/resolve/${revision}/${path}`;
      response.writeHead(302, { location }).end();
      return;
    }
    const mishap = this.#mishaps.get(path)?.shift();
    if (mishap?.kind === "status") {
      response.writeHead(mishap.status).end();
      return;
    }
    this.#send(request, response, this.#replaced.get(path) ?? original, mishap);
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    bytes: Buffer,
    mishap: Mishap | undefined,
  ): void {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    const offset = range === undefined || this.ignoreRanges ? 0 : Number(range);
    if (offset > 0 && offset >= bytes.length) {
      response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(offset);
    response.writeHead(offset > 0 ? 206 : 200, {
      "content-length": body.length,
      ...(offset > 0
        ? { "content-range": `bytes ${offset}-${bytes.length - 1}/${bytes.length}` }
        : {}),
    });
    if (mishap === undefined || mishap.kind === "status") {
      response.end(body);
      return;
    }
    const first = body.subarray(0, mishap.afterBytes);
    if (mishap.kind === "break") {
      // Ends rather than destroys: what was written before the break still arrives.
      response.write(first, () => response.socket?.end());
      return;
    }
    response.write(first);
    this.#held.push({
      finish: () => response.end(body.subarray(mishap.afterBytes)),
      cut: () => response.destroy(),
    });
  }

  #find(id: string, revision: string): HubRepository | undefined {
    const repository = this.#repositories.get(id);
    return revision === "main" || revision === repository?.commit ? repository : undefined;
  }

  #admits(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.requiredToken === undefined) return true;
    if (request.headers.authorization === `Bearer ${this.requiredToken}`) return true;
    response.writeHead(401).end(JSON.stringify({ error: "Invalid username or password." }));
    return false;
  }

  #see(kind: SeenRequest["kind"], path: string, request: IncomingMessage): void {
    const { range, authorization } = request.headers;
    this.requests.push({ kind, path, range, authorization });
  }
}

function describe(path: string, bytes: Buffer): object {
  const blobId = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  if (bytes.length < LFS_BYTES) return { rfilename: path, size: bytes.length, blobId };
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { rfilename: path, size: bytes.length, blobId, lfs: { sha256, size: bytes.length } };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      resolve();
    });
  });
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
