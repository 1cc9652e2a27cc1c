/** Traces from producer to worker: over OTLP as an operator has them, and inside one program. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { BullMQOtel } from "bullmq-otel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  Consumer,
  DEFAULT_LOCK_DURATION_MS,
  DEFAULT_STALLED_INTERVAL_MS,
} from "../../src/redis/consumer.js";
import { makeJob } from "../../src/redis/make-job.js";
import { RedisJobQueue } from "../../src/redis/redis-job-queue.js";
import { traceQueues } from "../../src/redis/telemetry.js";
import { BUILTIN, SAMPLE } from "../support/cli.js";
import { useFleet } from "../support/fleet.js";
import { startGateway } from "../support/gateway.js";
import { until } from "../support/until.js";
import { given, longTests, realRedis } from "../support/needs.js";

interface OtlpSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly Attribute[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly Omit<OtlpSpan, "service">[] }[];
  }[];
}

/** Takes spans as a collector does. */
class Collector {
  readonly spans: OtlpSpan[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        if (request.url === "/v1/traces") this.#take(JSON.parse(body) as OtlpBody);
        response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
      });
    });
  }

  static async open(): Promise<Collector> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Collector(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take({ resourceSpans }: OtlpBody): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const name = resource.attributes.find(({ key }) => key === "service.name");
      const service = name?.value.stringValue ?? "";
      for (const span of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({ service, ...span });
    }
  }
}

const fleet = useFleet({ shared: "nothing" });
let collector: Collector;

beforeEach(async () => {
  collector = await Collector.open();
});
afterEach(() => collector.close());

const submit = ["submit", "--model", BUILTIN, "--input", SAMPLE, "--wait"];

describe("traces", given(realRedis), () => {
  it("traces lead from the producer that enqueued a job to the worker that did it", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const worker = await fleet.worker("--lanes 1", { env });
    const named = { ...env, OTEL_SERVICE_NAME: "nightly" };
    expect(await fleet.run(submit, { env: named })).toMatchObject({ code: 0 });
    worker.signal("SIGTERM");
    expect(await worker.exited).toMatchObject({ code: 0 });
    const { spans } = collector;
    const enqueued = spans.filter(({ service }) => service === "nightly");
    const process = spans.filter(
      ({ service, name }) => service === "rankmill-worker" && name.startsWith("process "),
    );
    expect(process).toHaveLength(54);
    for (const { traceId, parentSpanId } of process) {
      const parent = enqueued.find(({ spanId }) => spanId === parentSpanId);
      expect(parent?.traceId).toBe(traceId);
      expect(parent?.name).toContain("addBulk");
    }
  });

  it("traces lead from the client of a gateway, whose traceparent it is, to the worker, with the request's id", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const worker = await fleet.worker("--lanes 1", { env });
    const gateway = await startGateway(fleet, "", { env });
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const client = "00f067aa0ba902b7";
    const headers = { traceparent: `00-${trace}-${client}-01`, "x-request-id": "req-7f3a" };
    const body = { model: BUILTIN, query: "mill", documents: ["a river", "the mill"] };
    expect((await gateway.post("/v1/rerank", body, headers)).status).toBe(200);
    expect((await gateway.post("/v1/jobs", { ...body, query: "m" }, headers)).status).toBe(202);
    await fetch(`${gateway.url}/healthz`);
    for (const one of [gateway.running, worker]) {
      one.signal("SIGTERM");
      expect(await one.exited).toMatchObject({ code: 0 });
    }
    const { spans } = collector;
    const served = spans.filter(({ name }) => /^(GET|POST) \//.test(name));
    expect(served.map(({ name }) => name)).toEqual(["POST /v1/rerank", "POST /v1/jobs"]);
    const done = spans.filter(({ name }) => name.startsWith("process "));
    expect(done).toHaveLength(2);
    for (const span of served) expect(span).toMatchObject({ traceId: trace, parentSpanId: client });
    for (const { traceId, attributes } of [...served, ...done]) {
      expect(traceId).toBe(trace);
      const id = attributes.find(({ key }) => key === "rankmill.request_id");
      expect(id?.value.stringValue).toBe("req-7f3a");
    }
  });

  it(
    "traces are sent nowhere unless an endpoint is named, nor if they are switched off",
    given(longTests),
    async () => {
      await fleet.worker("--lanes 1");
      for (const off of [{ OTEL_SDK_DISABLED: "true" }, { OTEL_TRACES_EXPORTER: "none" }]) {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...off };
        expect(await fleet.run(submit, { env })).toMatchObject({ code: 0 });
      }
      expect(collector.spans).toEqual([]);
    },
  );

  it("traces hold up nothing if the collector is gone", given(longTests), async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    collector.close();
    await fleet.worker("--lanes 1", { env });
    expect(await fleet.run(submit, { env })).toMatchObject({ code: 0 });
  });

  it("traces join those of the program that opens a queue and a consumer", async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    provider.register();
    traceQueues(new BullMQOtel({ tracerName: "test" }));
    const queue = new RedisJobQueue(fleet.server.client(), "tag", 1_000_000);
    const consumer = new Consumer(
      fleet.server.client(),
      {
        tag: "tag",
        priority: "bulk",
        concurrency: 1,
        lockDurationMs: DEFAULT_LOCK_DURATION_MS,
        stalledIntervalMs: DEFAULT_STALLED_INTERVAL_MS,
        onEvent: () => {},
      },
      () => Promise.resolve({ pairs: 1, tokens: 1, truncated: 0, failedPairs: 0 }),
    );
    consumer.start();
    const tracer = provider.getTracer("test");
    await tracer.startActiveSpan("mine", async (span) => {
      const request = { id: "a", query: "q", documents: [{ text: "d" }] };
      const job = makeJob(
        request,
        { maxLength: 16, truncation: "only-second" },
        { priority: "bulk", ttlSeconds: 60 },
      );
      await queue.enqueue([job], "me");
      span.end();
    });
    const process = await until("the job was done", () =>
      exporter.getFinishedSpans().find(({ name }) => name.startsWith("process ")),
    );
    const spans = exporter.getFinishedSpans();
    const mine = spans.find(({ name }) => name === "mine");
    const add = spans.find(({ name }) => name.startsWith("addBulk "));
    expect(add?.parentSpanContext?.spanId).toBe(mine?.spanContext().spanId);
    expect(process.parentSpanContext?.spanId).toBe(add?.spanContext().spanId);
    expect(process.spanContext().traceId).toBe(mine?.spanContext().traceId);
    await consumer.close(1_000);
    await queue.close();
    await provider.shutdown();
  });
});
