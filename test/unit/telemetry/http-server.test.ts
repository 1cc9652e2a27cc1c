import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InstrumentServer } from "../../../src/telemetry/http-server.js";
import { Metrics } from "../../../src/telemetry/metrics/registry.js";
import { ended } from "../../support/ended.js";

let server: InstrumentServer;
let reason: string | undefined;
let metrics: Metrics;

beforeEach(async () => {
  reason = undefined;
  metrics = new Metrics("1.2.3");
  server = await InstrumentServer.listen({
    host: "127.0.0.1",
    port: 0,
    unfitReason: () => Promise.resolve(reason),
    metrics,
  });
});
afterEach(() => server.close());

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.address.port}${path}`, init);

describe("the server of probes and metrics", () => {
  it("passes the reason on if the process is of no use", async () => {
    expect((await ask("/readyz")).status).toBe(200);
    reason = "no lane is at work";
    const unfit = await ask("/readyz");
    expect([unfit.status, await unfit.text()]).toEqual([503, "no lane is at work\n"]);
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("knows GET and HEAD, and three paths", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const refused = await ask("/metrics", { method });
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
    for (const path of ["/", "/metrics/", "/../etc/passwd", "//metrics"]) {
      expect((await ask(path)).status).toBe(404);
    }
  });

  it("answers an error with 500, without a word about it", async () => {
    metrics.onScrape(() => {
      throw new Error("redis://:secret@host");
    });
    const failed = await ask("/metrics");
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain("secret");
  });

  it("gathers once for scrapes at the same time", async () => {
    let gathered = 0;
    const gate = new AbortController();
    metrics.onScrape(async () => {
      gathered += 1;
      if (!gate.signal.aborted) await once(gate.signal, "abort");
    });
    const scrapes = [metrics.render(), metrics.render(), metrics.render()];
    gate.abort();
    await Promise.all(scrapes);
    expect(gathered).toBe(1);
    await metrics.render();
    expect(gathered).toBe(2);
  });

  it("cuts off whoever never finishes a request", async () => {
    const socket = connect(server.address.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    socket.resume();
    await ended(socket);
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("refuses heads without end", async () => {
    const refused = await ask("/healthz", { headers: { "X-Long": "a".repeat(20_000) } });
    expect(refused.status).toBe(431);
  });
});
