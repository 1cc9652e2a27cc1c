/**
 * An S3 server of a test's own: a real one over HTTP, its objects in a folder. It checks no signatures,
 * and fails at listings that go on on a second page: its tokens need a cipher that OpenSSL 3 lacks.
 */
import { once } from "node:events";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import S3rver from "s3rver";

const BUCKET = "spool-bucket";
/** The only pair that the server knows. */
const KEY = "S3RVER";

export class TestS3 {
  readonly #server: S3rver;
  readonly #gate: Server;
  /** Holds its objects. */
  readonly folder: string;

  private constructor(server: S3rver, gate: Server, folder: string) {
    this.#server = server;
    this.#gate = gate;
    this.folder = folder;
  }

  static async start(): Promise<TestS3> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "rankmill-test-s3-")));
    const server = new S3rver({
      address: "127.0.0.1",
      port: 0,
      directory: folder,
      silent: true,
      configureBuckets: [{ name: BUCKET, configs: [] }],
    });
    const { port } = await server.run();
    const gate = createServer((asked, answer) => {
      pass(asked, answer, port).catch(() => answer.destroy());
    }).listen(0, "127.0.0.1");
    await once(gate, "listening");
    return new TestS3(server, gate, folder);
  }

  /** A spool that nobody else uses. */
  place(name: string): string {
    return `s3://${BUCKET}/${name}`;
  }

  /** The folder where the objects of a place lie, in files of the server's own kind. */
  filesOf(name: string): string {
    return join(this.folder, BUCKET, name);
  }

  get env(): Record<string, string> {
    const { port } = this.#gate.address() as AddressInfo;
    return {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: KEY,
      AWS_SECRET_ACCESS_KEY: KEY,
      AWS_REGION: "us-east-1",
    };
  }

  async close(): Promise<void> {
    this.#gate.closeAllConnections();
    this.#gate.close();
    await this.#server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * Hands a request on once all of it is here: as on S3, an upload that breaks off because its client was
 * killed leaves nothing. The server behind would keep half an object and fail at it from then on.
 */
async function pass(asked: IncomingMessage, answer: ServerResponse, port: number): Promise<void> {
  const body = await buffer(asked);
  if (!asked.complete) throw new Error("the client has gone");
  const { method, url: path, headers } = asked;
  const passed = forward({ host: "127.0.0.1", port, method, path, headers });
  passed.end(body);
  const [answered] = (await once(passed, "response")) as [IncomingMessage];
  answer.writeHead(answered.statusCode ?? 500, answered.headers);
  answered.pipe(answer);
}
