import { numbersName, workerCommand } from "../../../core/forms/numbers.js";
import { modelTag } from "../../../redis/keys.js";
import { listWorkers } from "../../../redis/worker-registry.js";
import { createClient } from "../../client/client.js";
import type { Check } from "../check.js";
import { note, ok, problem, type Said } from "../finding.js";
import type { ExaminedModel, ExaminedRedis } from "../subject.js";
import { EXAMPLE_PAIR } from "../example-pair.js";

const WAIT_MS = 30_000;
/** The ranking is read at once. */
const RESULT_TTL_SECONDS = 60;

/** A job goes through Redis to a worker of the fleet and its ranking comes back. */
export const fleetPair: Check = {
  name: "fleet-pair",
  needs: "redis",
  run: async (redis, { model }) =>
    model.status === "there" ? await throughFleet(redis, model.part) : [],
};

async function throughFleet(
  { redis, url, tls }: ExaminedRedis,
  { model }: ExaminedModel,
): Promise<Said[]> {
  const { name, revision, precision, form } = model;
  const workers = await listWorkers(redis, modelTag(model));
  if (workers.length === 0) {
    return [
      note(
        `no worker serves ${name} ${numbersName(model)} on this Redis`,
        `start one: ${workerCommand(model)}`,
      ),
    ];
  }
  const client = await createClient({
    redisUrl: url,
    ...(tls !== undefined && { redisTls: tls }),
    onError: () => undefined,
  });
  try {
    const started = performance.now();
    const job = await client.enqueue({
      model: { name, revision, precision, form },
      // Equal jobs are one job: the time makes it a new one each time.
      id: `doctor-${Date.now()}`,
      query: EXAMPLE_PAIR.query,
      documents: [EXAMPLE_PAIR.document],
      resultTtlSeconds: RESULT_TTL_SECONDS,
    });
    await job.result({ timeoutMs: WAIT_MS });
    const ms = Math.round(performance.now() - started);
    return [ok(`one of ${workers.length} workers ranked a job in ${ms} ms`)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      problem(
        `${workers.length} workers are at work, and none ranked a job: ${why}`,
        "see their logs, and `rankmill status` for what waits",
      ),
    ];
  } finally {
    await client.close();
  }
}
