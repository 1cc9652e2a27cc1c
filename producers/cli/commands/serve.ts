import { once } from "node:events";
import type { Command } from "commander";
import { Closers } from "../../../src/platform/closers.js";
import { openGateway } from "../../gateway/server.js";
import { createLogger, requireRedis } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { openAccess } from "../gateway-access.js";
import { gatewayOptions, readServerTls } from "../gateway-options.js";
import { openInstruments } from "../instrument-options.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { GATEWAY } from "../options/gateway.js";
import { KEYS } from "../options/keys.js";
import { LIMITS } from "../options/limits.js";
import { LOGS } from "../options/messages.js";
import { OBSERVE } from "../options/observe.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { uploadBounds, UPLOADS } from "../options/uploads.js";
import { SHUTDOWN } from "../options/worker.js";
import { stopSignal } from "../stop-signal.js";
import { env } from "../terminal.js";

const GROUPS = {
  gateway: GATEWAY,
  keys: KEYS,
  run: pick(RUN, "spool"),
  uploads: UPLOADS,
  redis: REDIS_ADDRESS,
  limits: LIMITS,
  shutdown: SHUTDOWN,
  observe: pick(OBSERVE, "metricsPort", "metricsHost"),
  messages: LOGS,
};

/** After the drain: the last answers, and the last jobs to let go. */
const LATE_MS = 5_000;

export function defineServe(command: Command): void {
  command.action(async (parsed: Record<string, unknown>) => {
    process.exitCode = await serve(parsed);
  });
  addOptions(command, GROUPS, ["port", "host", "redisUrl", "deadline", "alias", "defaultModel"]);
  addHelp(command, {
    examples: [
      "rankmill serve",
      "rankmill serve --port 8080 --alias rerank-v3.5=bge-reranker-v2-m3",
    ],
    notes: [
      `Serves the models of all workers on the Redis of REDIS_URL to clients of Cohere, Jina, Voyage, vLLM, TEI and others; docs/gateway.md says how to point each at it. SIGTERM or Ctrl-C takes no more requests, finishes those under way, and exits 0. Logs are JSON lines on standard output.`,
    ],
  });
}

async function serve(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { host } = values.gateway;
  const logger = createLogger(values.messages.logLevel ?? "info", 1);
  const drainMs = values.shutdown.drainTimeout * 1_000;
  const signal = stopSignal({ deadlineMs: drainMs + LATE_MS });
  const closers = new Closers();
  try {
    const instruments = await openInstruments(
      { ...values.observe, healthFile: undefined },
      logger,
      closers,
    );
    const redis = await requireRedis(values.redis, logger);
    closers.use("Redis connection", redis, (one) => one.disconnect());
    const running = await openGateway({
      ...gatewayOptions(values.gateway),
      redis,
      logger,
      limits: values.limits,
      instruments,
      tls: await readServerTls(values.gateway),
      authenticate: await openAccess({ ...values.keys, host }, redis, logger),
      tenancy: { spool: values.run.spool, env, uploads: uploadBounds(values.uploads) },
    });
    const { address } = running;
    logger.info({ host: address.address, port: address.port }, "serving gateway");
    if (!signal.aborted) await once(signal, "abort");
    await running.close(drainMs);
    logger.info("stopped");
    return EXIT.ok;
  } finally {
    await closers.closeAll();
  }
}
