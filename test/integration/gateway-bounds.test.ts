/** The bounds of the gateway's server, and what it says of itself: in its log, its figures and its headers. */
import { execFileSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { get } from "node:http";
import { request as secureRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGateway, type RunningGateway } from "../../producers/gateway/server.js";
import { DEFAULT_TIMES, type ServerTimes } from "../../producers/gateway/server-times.js";
import { admitLocal } from "../../producers/gateway/authentication.js";
import { DEFAULT_LIMITS } from "../../src/core/contract.js";
import { modelTag, workerKey, workersKey } from "../../src/redis/keys.js";
import { registerModel } from "../../src/redis/model-registry.js";
import { useFleet } from "../support/fleet.js";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { metricsUrl, scrape } from "../support/metrics.js";
import { given, openssl } from "../support/needs.js";
import { ended } from "../support/ended.js";
import { until } from "../support/until.js";

const SECRET = "a text that nobody may read";
const BODY = { model: "builtin-bm25", query: SECRET, documents: ["a river", "the mill"] };
const MAX_BODY_BYTES = 4_000;
/** Clients that wait at once. */
const CLIENTS = 200;

const fleet = useFleet({ shared: "everything" });
let worker: Awaited<ReturnType<typeof fleet.worker>>;
let gateway: TestGateway;

beforeAll(async () => {
  worker = await fleet.worker("--lanes 1");
  const bounds = `--max-body-bytes ${MAX_BODY_BYTES} --max-list-documents 20 --max-query-chars 100`;
  gateway = await startGateway(fleet, `${bounds} --metrics-port 0 --allowed-host mill.internal`);
});

function post(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/rerank`, { method: "POST", body: Buffer.from(body), headers });
}

/** The answer to a request with a `Host` of its own. */
async function statusFor(host: string): Promise<number | undefined> {
  const asked = get(`${gateway.url}/v1/models`, { headers: { host } });
  const [response] = (await once(asked, "response")) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

describe("the size of a request", () => {
  it.each([
    ["a body over the limit", "x".repeat(MAX_BODY_BYTES + 1), {}],
    [
      "a small body that inflates to one",
      gzipSync("x".repeat(1e7)),
      { "content-encoding": "gzip" },
    ],
  ])("%s is refused with 413", async (_, body, headers) => {
    const response = await post(body, headers);
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("maxBodyBytes");
  });

  it("a body that never ends is refused as soon as it is over the limit, and cut off", async () => {
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    let said = "";
    socket.on("error", () => undefined).on("data", (bytes: Buffer) => (said += String(bytes)));
    socket.write(
      "POST /v1/rerank HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const size = MAX_BODY_BYTES + 1;
    socket.write(`${size.toString(16)}\r\n${"x".repeat(size)}\r\n`);
    await ended(socket);
    expect(said).toMatch(/^HTTP\/1.1 413 /);
  });

  it("gzip, deflate and br are understood, and nothing else", async () => {
    const packed = gzipSync(JSON.stringify(BODY));
    expect((await post(packed, { "content-encoding": "gzip" })).status).toBe(200);
    expect((await post(packed, { "content-encoding": "zstd" })).status).toBe(415);
    expect((await post("not gzip", { "content-encoding": "gzip" })).status).toBe(400);
  });

  it.each([
    [
      "documents",
      { ...BODY, documents: Array.from({ length: 21 }, () => "x") },
      "maxListDocuments",
    ],
    ["the query", { ...BODY, query: "x".repeat(101) }, "maxQueryChars"],
  ])("%s over the limit are refused with 422, and name it", async (_, body, name) => {
    const response = await post(JSON.stringify(body));
    expect(response.status).toBe(422);
    expect(await response.text()).toContain(name);
  });

  it.each(["", "{", "[]", "7", "null"])("the body %j is refused with 400", async (body) => {
    expect((await post(body)).status).toBe(400);
  });

  it("the bytes of all requests together have a bound", async () => {
    const small = await startGateway(fleet, "--max-in-flight-bytes 10");
    const response = await small.post("/v1/rerank", BODY);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  });
});

describe("a request's way through the logs", () => {
  it("a client's id comes back, and stands in the logs of gateway and worker; no text does", async () => {
    const id = "trace-7f3a";
    const response = await post(JSON.stringify(BODY), { "x-request-id": id });
    expect(response.headers.get("x-request-id")).toBe(id);
    const line = (text: string): boolean => text.includes(`"requestId":"${id}"`);
    await until("both have logged it", () => line(gateway.running.stdout) && line(worker.stdout));
    expect(gateway.running.stdout).toMatch(/"route":"\/v1\/rerank","status":200/);
    expect(gateway.running.stdout + worker.stdout).not.toContain(SECRET);
  });

  it("an id that no log should hold is replaced", async () => {
    const response = await post(JSON.stringify(BODY), { "x-request-id": "a b" });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("the figures count requests by route and status, and no path that a client made up", async () => {
    await fetch(`${gateway.url}/made/up`);
    const url = await metricsUrl(gateway.running);
    await until("the requests are counted", async () => {
      const seen = await scrape(url);
      const of = (route: string, status: string): number | undefined =>
        seen.value("rankmill_gateway_requests_total", { route, status });
      return (of("/v1/rerank", "200") ?? 0) > 0 && (of("other", "404") ?? 0) > 0;
    });
    const { text } = await scrape(url);
    expect(text).not.toContain("made");
    expect(text).toContain("rankmill_gateway_waiting_clients 0");
    expect(text).toContain("rankmill_gateway_body_bytes 0");
  });
});

describe("the headers", () => {
  it("a page that has given the gateway a name of its own is refused", async () => {
    expect(await statusFor("evil.example")).toBe(403);
    expect(await statusFor("mill.internal:80")).toBe(200);
    expect(await statusFor("localhost")).toBe(200);
  });

  it("an answer is for its client alone: no CORS, no store, no sniffing", async () => {
    const response = await post(JSON.stringify(BODY), { origin: "http://evil.example" });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it.each(["GET", "DELETE"])(
    "%s on a route of rankings is 405, says what is allowed and leaks nothing",
    async (method) => {
      const response = await fetch(`${gateway.url}/v1/rerank`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
      expect(await response.text()).not.toMatch(/node_modules|\.ts|redis:/);
    },
  );
});

/** A gateway of this process. @param times after which it cuts clients off */
function gatewayWith(times: Partial<ServerTimes>): Promise<RunningGateway> {
  return openGateway({
    redis: fleet.redis,
    host: "127.0.0.1",
    port: 0,
    logger: pino({ level: "silent" }),
    authenticate: admitLocal,
    names: { aliases: new Map(), defaultModel: undefined },
    limits: DEFAULT_LIMITS,
    maxListDocuments: 100,
    maxWaitingClients: CLIENTS,
    bounds: { maxBodyBytes: 1e6, maxInFlightBytes: 1e7 },
    deadlineMs: 300_000,
    graceMs: 0,
    strictDocuments: false,
    allowedHosts: [],
    trustsProxy: false,
    pages: undefined,
    instruments: undefined,
    tenancy: {
      spool: undefined,
      env: {},
      uploads: { maxUploadBytes: 1, uploadQuotaBytes: 1, uploadTtlSeconds: 60 },
    },
    times: { ...DEFAULT_TIMES, ...times },
  });
}

describe("a client that is slow or silent", () => {
  let running: RunningGateway;

  beforeAll(async () => {
    running = await gatewayWith({ headersMs: 300, readMs: 300, keepAliveMs: 300 });
  });
  afterAll(() => running.close(0));

  const open = async ({ address } = running): Promise<Socket> => {
    const socket = connect(address.port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  };

  it("many that wait share one subscription, and leave nothing behind when all hang up", async () => {
    const model = { name: "made-up", revision: "0".repeat(12), precision: "fp32" };
    const tag = modelTag(model);
    const maxLength = { default: 512, highest: 512 };
    const facts = { aliases: [], digest: "0", maxLength, takesInstruction: false };
    await registerModel(fleet.redis, { ...model, ...facts });
    const startedAt = new Date().toISOString();
    const worker = { id: "none", host: "h", pid: 1, lanes: 1, held: 0, startedAt };
    await fleet.redis.set(workerKey(tag, worker.id), JSON.stringify(worker));
    await fleet.redis.sadd(workersKey(tag), worker.id);
    const owners = async (): Promise<number> =>
      (await fleet.redis.keys(`*${tag}*:owners:*`)).length;
    const connections = async (): Promise<number> =>
      String(await fleet.redis.client("LIST"))
        .trim()
        .split("\n").length;
    // One that cuts nobody off for being slow.
    const patient = await gatewayWith({});
    const sockets: Socket[] = [];
    const ask = async (): Promise<void> => {
      const socket = await open(patient);
      sockets.push(socket);
      const body = JSON.stringify({ ...BODY, model: model.name, query: `q${sockets.length}` });
      socket.write(
        `POST /v1/rerank HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    };
    await ask();
    await until("the first waits", async () => (await owners()) === 1);
    const before = await connections();
    for (let i = 1; i < CLIENTS; i += 1) await ask();
    await until("all wait", async () => (await owners()) === CLIENTS);
    expect(await connections()).toBe(before);
    for (const socket of sockets) socket.destroy();
    await until("no job is left", async () => {
      return (
        (await owners()) === 0 && (await fleet.redis.keys(`*${tag}*-interactive:r*`)).length === 0
      );
    });
    await patient.close(0);
  });

  it.each([
    ["says nothing", ""],
    ["never ends its headers", "POST /v1/rerank HTTP/1.1\r\nHost: localhost\r\n"],
    [
      "never ends its body",
      "POST /v1/rerank HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
    ],
    ["asks nothing more", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ])("one that %s is cut off", async (_, text) => {
    const socket = await open();
    socket.write(text);
    socket.resume();
    await ended(socket);
    expect(socket.closed).toBe(true);
  });
});

/** Asks as soon as it is connected, and says so in memory. */
const ASKER = `
const { connect } = require("node:net");
const { parentPort, workerData: { asked, port } } = require("node:worker_threads");
const socket = connect(port, "127.0.0.1", () => {
  socket.write("GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n", () => {
    Atomics.store(asked, 0, 1);
    Atomics.notify(asked, 0);
  });
});
socket.on("error", () => undefined);
socket.on("data", (answer) => parentPort.postMessage(String(answer)));
socket.on("close", () => parentPort.postMessage("cut off"));
`;

describe("a gateway that is too busy to read", () => {
  it("does not take a client for silent whose request has arrived", async () => {
    const headersMs = 2_000;
    const running = await gatewayWith({ headersMs });
    const asked = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const block = (): void => {
      const connectedMs = performance.now();
      Atomics.wait(asked, 0, 0);
      while (performance.now() - connectedMs <= headersMs + 100);
    };
    subscribe("net.server.socket", block);
    try {
      const { port } = running.address;
      const client = new Worker(ASKER, { eval: true, workerData: { asked, port } });
      const [answer] = (await once(client, "message")) as [string];
      expect(answer).toContain("200 OK");
      await client.terminate();
    } finally {
      unsubscribe("net.server.socket", block);
      await running.close(0);
    }
  });
});

describe("TLS", given(openssl), () => {
  it("a gateway with a certificate speaks HTTPS", async () => {
    const [key, cert] = [fleet.bench.path("key.pem"), fleet.bench.path("cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes"];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "rsa:2048", "-keyout", key, "-out", cert, ...subject],
      { stdio: "ignore" },
    );
    const secure = await startGateway(fleet, `--tls-cert ${cert} --tls-key ${key}`);
    const asked = secureRequest(`${secure.url.replace("http:", "https:")}/healthz`, {
      rejectUnauthorized: false,
    });
    asked.end();
    const [response] = (await once(asked, "response")) as [{ statusCode?: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(200);
  });
});
