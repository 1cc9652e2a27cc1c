import type { Command } from "commander";
import type { RedisClient } from "../../../src/redis/redis-client.js";
import { RankmillError } from "../../../src/core/errors.js";
import { option, wording } from "../../../src/core/wording.js";
import { Closers } from "../../../src/platform/closers.js";
import { openGateway } from "../../gateway/server.js";
import { createLogger, requireRedis, stateDir } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { keepHeapSmall } from "../heap.js";
import { failureUnlessStopped } from "../failure-unless-stopped.js";
import { openAccess } from "../gateway-access.js";
import { gatewayOptions, readServerTls } from "../gateway-options.js";
import { openInstruments } from "../instrument-options.js";
import type { WorkerMeans } from "../open-worker.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { DASHBOARD } from "../options/dashboard.js";
import { GATEWAY } from "../options/gateway.js";
import { KEYS } from "../options/keys.js";
import { LOGS } from "../options/messages.js";
import { OBSERVE } from "../options/observe.js";
import { pick } from "../options/option-spec.js";
import { REDIS_ADDRESS } from "../options/redis.js";
import { RUN } from "../options/run.js";
import { uploadBounds, UPLOADS } from "../options/uploads.js";
import { SHUTDOWN } from "../options/worker.js";
import { WORKER_GROUPS } from "../options/worker-groups.js";
import { requestTraces } from "../tracing.js";
import { stopSignal } from "../stop-signal.js";
import { env } from "../terminal.js";

const GROUPS = {
  gateway: GATEWAY,
  pages: { ...pick(DASHBOARD, "showTexts"), title: GATEWAY.title },
  keys: KEYS,
  run: pick(RUN, "spool"),
  uploads: UPLOADS,
  redis: REDIS_ADDRESS,
  ...WORKER_GROUPS,
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
  addOptions(command, GROUPS, ["model", "port", "host", "redisUrl", "alias", "defaultModel"]);
  addHelp(command, {
    examples: [
      "rankmill serve --model ms-marco-MiniLM-L6-v2",
      "rankmill serve --port 8080 --alias rerank-v3.5=bge-reranker-v2-m3",
    ],
    notes: [
      `Answers clients of Cohere, Jina, Voyage, vLLM, TEI and others (docs/gateway.md), and shows runs at /dashboard. Serves the models of all workers on the Redis of REDIS_URL. Without REDIS_URL, --model makes it a server all in one: with a worker, and a Redis of its own that goes on from --state-dir when started again. SIGTERM or Ctrl-C takes no more requests, finishes those under way, and exits 0. Logs go to standard output: short lines on a terminal, else JSON.`,
    ],
  });
}

async function serve(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { host } = values.gateway;
  const logger = createLogger(values.messages, "info", 1);
  const drainMs = values.shutdown.drainTimeout * 1_000;
  const signal = stopSignal({ deadlineMs: drainMs + LATE_MS });
  keepHeapSmall();
  const closers = new Closers();
  try {
    const instruments = await openInstruments(
      { ...values.observe, healthFile: undefined },
      logger,
      closers,
    );
    const { redis, failures, ownModel } = await openBackend(values, {
      logger,
      signal,
      closers,
      instruments,
    });
    const defaultModel = values.gateway.defaultModel ?? ownModel;
    const running = await openGateway({
      ...gatewayOptions({ ...values.gateway, ...values.pages, defaultModel }),
      redis,
      logger,
      limits: values.limits,
      instruments,
      trace: requestTraces(),
      tls: await readServerTls(values.gateway),
      authenticate: await openAccess({ ...values.keys, host }, redis, logger),
      tenancy: {
        spool: values.run.spool,
        env,
        uploads: uploadBounds(values.uploads),
        batchExpirySeconds: values.uploads.batchExpiry,
      },
    });
    const { address } = running;
    const tls = values.gateway.tlsCert !== undefined;
    logger.info({ host: address.address, port: address.port, tls }, "serving gateway");
    const failure = await failureUnlessStopped(failures, signal);
    await running.close(drainMs);
    if (failure !== undefined) throw failure;
  } finally {
    await closers.closeAll();
  }
  logger.info("stopped");
  return EXIT.ok;
}

/** Redis and, in a server all in one, a worker. */
interface Backend {
  readonly redis: RedisClient;
  /** Each resolves with the reason why the process cannot go on. */
  readonly failures: readonly Promise<RankmillError>[];
  /** Name of the model that this process's worker serves. */
  readonly ownModel?: string;
}

interface Means extends Pick<WorkerMeans, "logger" | "signal" | "instruments"> {
  readonly closers: Closers;
}

async function openBackend(values: CommandValues<typeof GROUPS>, means: Means): Promise<Backend> {
  const { logger, closers } = means;
  const { model } = values.model;
  if (values.redis.redisUrl === undefined && model !== undefined)
    return await openAllInOne(values, means);
  if (values.redis.redisUrl === undefined) {
    const message = wording`${option("redisUrl")} is missing: name the Redis of your workers, or a model, with ${option("model")}, for a server all in one`;
    throw new RankmillError("invalid_option", message, { field: "redisUrl" });
  }
  if (model !== undefined)
    logger.info({ model }, "the workers on REDIS_URL serve models; this process starts none");
  const redis = await requireRedis(values.redis, logger);
  closers.use("Redis connection", redis, (one) => one.disconnect());
  return { redis, failures: [] };
}

/** A Redis and a worker of this process's own. Their code is loaded only here. */
async function openAllInOne(
  values: CommandValues<typeof GROUPS>,
  { closers, ...means }: Means,
): Promise<Backend> {
  const { logger } = means;
  const { chooseModel, openWorker } = await import("../open-worker.js");
  const { openKeptRedis } = await import("../../../src/app/kept-redis.js");
  const folder = stateDir(values.gateway.stateDir);
  const place = { folder, searchPath: env["PATH"] ?? "", logger };
  let opening: ReturnType<typeof openKeptRedis> | undefined;
  const open = (): ReturnType<typeof openKeptRedis> => (opening ??= openKeptRedis(place, closers));
  // Jobs may be left from an earlier start: their precision is kept.
  const model = await chooseModel(values, logger, async (work) => await work((await open()).redis));
  const { redis, failed } = await open();
  const worker = await openWorker(values, model, { ...means, redis, healthFile: undefined });
  closers.use("worker", worker, (one) => one.close(0));
  return { redis, failures: [failed, worker.failed], ownModel: model.model.name };
}
