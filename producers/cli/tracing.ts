/** OpenTelemetry traces of jobs from producer to worker, if the standard variables ask for them. */
import { RankmillError } from "../../src/core/errors.js";
import { traceQueues } from "../../src/redis/telemetry.js";
import { errnoOf } from "../../src/platform/file-system-errors.js";
import { waitAtMost } from "../../src/platform/wait-at-most.js";

/** Commands whose jobs are traced. */
const TRACED_COMMANDS: ReadonlySet<string> = new Set(["run", "submit", "worker", "runner"]);
/** The time at the end for spans that are still on their way out. */
const FLUSH_MS = 5_000;

const PACKAGES = [
  "bullmq-otel",
  "@opentelemetry/api",
  "@opentelemetry/resources",
  "@opentelemetry/sdk-trace-node",
  "@opentelemetry/exporter-trace-otlp-http",
];

type Environment = Readonly<Record<string, string | undefined>>;

let flush: () => Promise<void> = async () => {};

/**
 * Starts tracing if `command` moves jobs and the environment names an endpoint.
 *
 * @throws RankmillError `missing_dependency` with what to install
 */
export async function startTracing(command: string, env: Environment): Promise<void> {
  if (!TRACED_COMMANDS.has(command) || !isAskedFor(env)) return;
  const { BullMQOtel, OTLPTraceExporter, sdk, resources } = await loadPackages();
  const exporter = new OTLPTraceExporter();
  const provider = new sdk.NodeTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES go before our own attributes.
    resource: resources
      .resourceFromAttributes({ "service.name": `rankmill-${command}` })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  });
  provider.register();
  traceQueues(new BullMQOtel({ tracerName: "rankmill" }));
  flush = () => provider.shutdown();
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
    const [{ BullMQOtel }, { OTLPTraceExporter }, sdk, resources] = await Promise.all([
      import("bullmq-otel"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/sdk-trace-node"),
      import("@opentelemetry/resources"),
    ]);
    return { BullMQOtel, OTLPTraceExporter, sdk, resources };
  } catch (error) {
    if (errnoOf(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new RankmillError(
      "missing_dependency",
      `traces are asked for and need packages that are not installed: npm install ${PACKAGES.join(" ")}`,
      { cause: error },
    );
  }
}
