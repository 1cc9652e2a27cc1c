/** Clients that read slowly, send slowly or not at all, and the addresses of those behind a proxy. */
import { once } from "node:events";
import type { Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeApp } from "../../producers/gateway/app.js";
import type { GatewayParts, RouteModule } from "../../producers/gateway/env.js";
import { listen } from "../../producers/gateway/listen.js";
import { BodyReader } from "../../producers/gateway/read-body.js";
import { DEFAULT_TIMES, type ServerTimes } from "../../producers/gateway/server-times.js";
import { streamLines } from "../../producers/gateway/stream-lines.js";
import { LOCAL_CALLER } from "../../src/core/caller.js";
import { ended } from "../support/ended.js";
import { until } from "../support/until.js";

/** Beyond all that the buffers of two sockets hold. */
const LARGE_BYTES = 64_000_000;
const SHORT_MS = 300;
const DRIP_MS = 50;
const TIMES = {
  ...DEFAULT_TIMES,
  headersMs: SHORT_MS,
  readMs: SHORT_MS,
  bodyMs: SHORT_MS,
  writeMs: SHORT_MS,
};

const bodies = new BodyReader({ maxBodyBytes: 1e6, maxInFlightBytes: 1e6, bodyMs: SHORT_MS });
let sources = 0;
let servers: Server[] = [];
let finished: { route: string; status: number }[] = [];
let addresses: string[] = [];

/** Lines without an end, as those of a run that grows. */
async function* endless(): AsyncGenerator<string, void, undefined> {
  sources += 1;
  try {
    for (;;) yield await Promise.resolve("x".repeat(1_000));
  } finally {
    sources -= 1;
  }
}

const routes: RouteModule = (app) => {
  app.get("/lines", (context) => context.body(streamLines(endless()) as ReadableStream));
  app.get("/events", (context) => context.body(streamLines(endless(), 1) as ReadableStream));
  app.get("/large", (context) => context.body("x".repeat(LARGE_BYTES)));
  app.post("/body", async (context) => {
    const { release } = await bodies.read(context.env.incoming);
    release();
    return context.text("read");
  });
};

/** The gateway's server and middleware with routes of this test. */
async function open(trustsProxy: boolean, times: ServerTimes = TIMES): Promise<number> {
  const parts = { logger: pino({ level: "silent" }) } as unknown as GatewayParts;
  const app = makeApp(parts, [routes], {
    authenticate: ({ remoteAddress }) => {
      addresses.push(remoteAddress);
      return Promise.resolve({ status: "admitted", caller: LOCAL_CALLER });
    },
    onFinished: ({ route, status }) => finished.push({ route, status }),
    writeMs: times.writeMs,
    trustsProxy,
    trace: undefined,
    isHostAllowed: () => true,
  });
  const server = await listen(app, {
    host: "127.0.0.1",
    port: 0,
    maxConnections: 100,
    times,
  });
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

let port: number;
let behindProxy: number;
/** A server that waits as long as it does by default. */
let patient: number;
beforeAll(async () => {
  port = await open(false);
  behindProxy = await open(true);
  patient = await open(false, DEFAULT_TIMES);
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});
beforeEach(() => {
  finished = [];
  addresses = [];
});

async function dial(text: string, to = port): Promise<Socket> {
  const socket = connect(to, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

describe("a client that does not read", () => {
  it.each(["/lines", "/events", "/large"])(
    "%s is cut off, and what its answer is made of is let go",
    async (path) => {
      // Without a reader of its data a socket takes no more than its buffers hold.
      const socket = await dial(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await until("it is cut off", () => finished.length === 1);
      expect(finished).toEqual([{ route: path, status: 499 }]);
      await until("nothing is left of it", () => sources === 0);
      socket.destroy();
    },
  );

  it("does not end the answer of one that reads", async () => {
    const response = await fetch(`http://127.0.0.1:${patient}/large`);
    expect((await response.arrayBuffer()).byteLength).toBe(LARGE_BYTES);
    await until("it is over", () => finished.length === 1);
    expect(finished).toEqual([{ route: "/large", status: 200 }]);
  });
});

describe("a client that sends a little again and again", () => {
  it.each([
    ["of its headers", "GET /large HTTP/1.1\r\nHost: localhost\r\nX-Long: "],
    ["of its body", "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"],
  ])("%s is cut off all the same", async (_, start) => {
    const socket = await dial(start);
    const drip = setInterval(() => socket.write("x"), DRIP_MS);
    try {
      socket.resume();
      await ended(socket);
    } finally {
      clearInterval(drip);
    }
    await until("nothing of it is held", () => bodies.inFlightBytes === 0);
  });
});

/** The head of the answer to a request that no route takes. */
async function refusalOf(sent: string): Promise<string> {
  const socket = await dial(`POST /none HTTP/1.1\r\nHost: localhost\r\n${sent}`, patient);
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return answer.toString().split("\r\n\r\n", 1)[0] ?? "";
}

describe("a client that is refused", () => {
  it.each(["Content-Length: 100\r\n\r\npart", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"])(
    "hears that its connection ends if its body is still to come: %j",
    async (sent) => {
      const head = await refusalOf(sent);
      expect(head).toMatch(/^HTTP\/1.1 404 /);
      expect(head.toLowerCase()).toContain("connection: close");
    },
  );

  it.each(["Content-Length: 5\r\n\r\nwhole", "Content-Length: 0\r\n\r\n"])(
    "keeps its connection if its body is there: %j",
    async (sent) => {
      expect((await refusalOf(sent)).toLowerCase()).toContain("connection: keep-alive");
    },
  );
});

describe("the address of a client", () => {
  const headers = { "x-forwarded-for": "203.0.113.9, 198.51.100.7" };

  it("is that of its connection, whatever it says, unless a proxy is trusted", async () => {
    await fetch(`http://127.0.0.1:${port}/none`, { headers });
    expect(addresses).toEqual(["127.0.0.1"]);
  });

  it("is the last that a trusted proxy names, since it may have made up those before", async () => {
    await fetch(`http://127.0.0.1:${behindProxy}/none`, { headers });
    await fetch(`http://127.0.0.1:${behindProxy}/none`);
    expect(addresses).toEqual(["198.51.100.7", "127.0.0.1"]);
  });
});
