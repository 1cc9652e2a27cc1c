/** Bull Board over the queues of every model on a Redis. */
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { HonoAdapter } from "@bull-board/hono";
import { serveStatic } from "@hono/node-server/serve-static";
import type { Hono } from "hono";
import type { Logger } from "pino";
import { parseEnvelope } from "../../src/core/job-envelope.js";
import { ModelQueues } from "../../src/redis/model-queues.js";
import type { RedisClient } from "../../src/redis/redis-client.js";

export interface QueuesBoardOptions {
  readonly redis: RedisClient;
  readonly logger: Logger;
  readonly allowActions: boolean;
  readonly showTexts: boolean;
  /** The path at which it is served. */
  readonly path: string;
}

export interface QueuesBoard {
  readonly routes: Hono;
  close(): Promise<void>;
}

/** A model that is served for the first time is shown after this long. */
const SWEEP_INTERVAL_MS = 10_000;

export async function openQueuesBoard(options: QueuesBoardOptions): Promise<QueuesBoard> {
  const { redis, logger, path } = options;
  const queues = new ModelQueues(redis);
  const show = async (): Promise<BullMQAdapter[]> =>
    (await queues.list()).map(({ title, queue }) => adapterOf(title, queue, options));
  const serverAdapter = new HonoAdapter(serveStatic);
  serverAdapter.setBasePath(path);
  const board = createBullBoard({
    queues: await show(),
    serverAdapter,
    options: { uiConfig: { boardTitle: "rankmill", miscLinks: [{ text: "Runs", url: "/" }] } },
  });
  const looking = setInterval(() => {
    show().then(
      (shown) => board.setQueues(shown),
      (error: unknown) => logger.warn({ err: error }, "models could not be listed"),
    );
  }, SWEEP_INTERVAL_MS);
  return {
    routes: serverAdapter.registerPlugin(),
    close: async () => {
      clearInterval(looking);
      await queues.close();
    },
  };
}

function adapterOf(
  displayName: string,
  queue: ConstructorParameters<typeof BullMQAdapter>[0],
  { allowActions, showTexts }: QueuesBoardOptions,
): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, {
    readOnlyMode: !allowActions,
    allowRetries: allowActions,
    displayName,
  });
  if (!showTexts) adapter.setFormatter("data", withoutTexts);
  return adapter;
}

/** A job's data without its query and documents. */
function withoutTexts(data: unknown): unknown {
  const envelope = parseEnvelope(data);
  if (envelope === undefined) return "hidden";
  return envelope.request === undefined
    ? envelope
    : { ...envelope, request: "hidden: --show-texts shows it" };
}
