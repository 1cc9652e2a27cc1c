/** OpenTelemetry traces of jobs from producer to worker, if the standard variables ask for them. */
import { RankmillError } from "../../src/core/errors.js";
import { traceQueues } from "../../src/redis/telemetry.js";
import { errnoOf } from "../../src/platform/file-system-errors.js";
import { waitAtMost } from "../../src/platform/wait-at-most.js";
import type { TraceRequest } from "../gateway/trace-requests.js";

/** Commands whose jobs are traced. */
const TRACED_COMMANDS: ReadonlySet<string> = new Set([
  "run",
  "submit",
  "worker",
  "runner",
  "serve",
]);
/** The time at the end for spans that are still on their way out. */
const FLUSH_MS = 5_000;

const PACKAGES = [
  "bullmq-otel",
  "@opentelemetry/api",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-trace-node",
  "@opentelemetry/exporter-trace-otlp-http",
];

const TRACER = "rankmill";

type Environment = Readonly<Record<string, string | undefined>>;

let traced: TraceRequest | undefined;
let flush: () => Promise<void> = async () => {};

/**
 * Starts tracing if `command` moves jobs and the environment names an endpoint.
 *
 * @throws RankmillError `missing_dependency` with what to install
 */
export async function startTracing(command: string, env: Environment): Promise<void> {
  if (!TRACED_COMMANDS.has(command) || !isAskedFor(env)) return;
  const { BullMQOtel, OTLPTraceExporter, sdk, resources, api } = await loadPackages();
  const exporter = new OTLPTraceExporter();
  const provider = new sdk.NodeTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before our own attributes.
    resource: resources
      .resourceFromAttributes({ "service.name": `rankmill-${command}` })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  });
  provider.register();
  traceQueues(new BullMQOtel({ tracerName: TRACER }), (name, value) =>
    api.trace.getActiveSpan()?.setAttribute(name, value),
  );
  traced = traceWith(api);
  flush = () => provider.shutdown();
}

/** The traces of a gateway's requests; undefined if nobody asks for traces. */
export function requestTraces(): TraceRequest | undefined {
  return traced;
}

/** Sends what is left; a collector that does not answer costs a few seconds at most. */
export async function endTracing(): Promise<void> {
  const flushed = flush().catch(() => undefined);
  await waitAtMost(flushed, FLUSH_MS);
}

function isAskedFor(env: Environment): boolean {
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return false;
  if (env["OTEL_TRACES_EXPORTER"] === "none") return false;
  const endpoint = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  return endpoint !== undefined && endpoint !== "";
}

async function loadPackages() {
  try {
    const [{ BullMQOtel }, { OTLPTraceExporter }, sdk, resources, api] = await Promise.all([
      import("bullmq-otel"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/sdk-trace-node"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/api"),
    ]);
    return { BullMQOtel, OTLPTraceExporter, sdk, resources, api };
  } catch (error) {
    if (errnoOf(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new RankmillError(
      "missing_dependency",
      `traces are asked for and need packages that are not installed: npm install ${PACKAGES.join(" ")}`,
      { cause: error },
    );
  }
}

type Api = Awaited<ReturnType<typeof loadPackages>>["api"];

/** Headers of W3C's Trace Context. */
const TRACE_HEADERS = ["traceparent", "tracestate"];
const LOWEST_SERVER_ERROR = 500;

function traceWith(api: Api): TraceRequest {
  const { context, propagation, trace, SpanKind, SpanStatusCode } = api;
  return async ({ method, requestId, header }, work) => {
    const carrier = Object.fromEntries(
      TRACE_HEADERS.flatMap((name) => {
        const value = header(name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    const parent = propagation.extract(context.active(), carrier);
    const attributes = { "http.request.method": method, "rankmill.request_id": requestId };
    const kind = SpanKind.SERVER;
    const span = trace.getTracer(TRACER).startSpan(method, { kind, attributes }, parent);
    try {
      const { route, status } = await context.with(trace.setSpan(parent, span), work);
      span.updateName(`${method} ${route}`);
      span.setAttributes({ "http.route": route, "http.response.status_code": status });
      if (status >= LOWEST_SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR });
    } finally {
      span.end();
    }
  };
}
