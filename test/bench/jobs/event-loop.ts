import { createClient } from "../../../src/index.js";
import { forkProgram, nextMessage } from "../engine/child-way.js";
import { startRedis, urlOf } from "../support/redis.js";
import type { LoopDelay, LoopRequest } from "./loop-worker.js";

/** Characters of a document that is truncated to 512 tokens after most of it was thrown away. */
const HUGE_CHARS = 2_000_000;
const HUGE_DOCUMENTS = 8;
const HUGE_JOBS = 4;
const LONG_JOBS = 16;
const LONG_DOCUMENTS = 2;
const MAX_LENGTH = 512;
const RESULT_TIMEOUT_MS = 900_000;
const SENTENCE =
  "The mill grinds slowly, and every grain of number 4711 is weighed twice before it ranks. ";

interface Load {
  readonly name: string;
  readonly jobs: number;
  readonly documents: readonly string[];
}

const LOADS: readonly Load[] = [
  {
    name: "pairs of 512 tokens",
    jobs: LONG_JOBS,
    documents: Array.from({ length: LONG_DOCUMENTS }, (_, i) => `${i} ${SENTENCE.repeat(60)}`),
  },
  {
    name: `documents of ${HUGE_CHARS / 1e6} MB`,
    jobs: HUGE_JOBS,
    documents: Array.from({ length: HUGE_DOCUMENTS }, (_, i) =>
      `${i} ${SENTENCE.repeat(Math.ceil(HUGE_CHARS / SENTENCE.length))}`.slice(0, HUGE_CHARS),
    ),
  },
];

/** The longest that the worker's event loop stood still while its lanes ran a slow model. */
export async function measureEventLoop(modelFolder: string): Promise<string[][]> {
  const redis = await startRedis("redis-server");
  const redisUrl = urlOf(redis);
  const worker = forkProgram("../jobs/loop-worker.ts");
  try {
    const ask = async (request: LoopRequest): Promise<LoopDelay> => {
      worker.send(request);
      return await nextMessage<LoopDelay>(worker);
    };
    await ask({ type: "start", redisUrl, modelFolder, precision: "int8" });
    const client = await createClient({ redisUrl });
    const model = modelFolder.split("/").at(-1) ?? "";
    const rows: string[][] = [];
    for (const { name, jobs, documents } of LOADS) {
      await ask({ type: "reset" });
      const started = performance.now();
      const enqueued = await Promise.all(
        Array.from({ length: jobs }, (_, i) =>
          client.enqueue({
            model,
            id: `${name}-${i}`,
            query: "how is the grain weighed",
            documents,
            maxLength: MAX_LENGTH,
          }),
        ),
      );
      await Promise.all(enqueued.map((job) => job.result({ timeoutMs: RESULT_TIMEOUT_MS })));
      const seconds = (performance.now() - started) / 1000;
      const { medianMs, highMs, maxMs, idleMaxMs } = await ask({ type: "read" });
      const shape = `${jobs} × ${documents.length}`;
      rows.push([
        name,
        shape,
        seconds.toFixed(1),
        ...[medianMs, highMs, maxMs, idleMaxMs].map((ms) => ms.toFixed(1)),
      ]);
    }
    await client.close();
    await ask({ type: "stop" });
    return rows;
  } finally {
    worker.kill("SIGKILL");
    await redis.stop();
  }
}
