import { RankmillError } from "../../core/errors.js";
import { numbersName, workerCommand } from "../../core/forms/numbers.js";
import { waitAtMost } from "../../platform/wait-at-most.js";
import { listWorkers } from "../../redis/worker-registry.js";
import type { RedisClient } from "../../redis/redis-client.js";
import type { OpenModel } from "./open-models.js";

/** Redis has this long to say why a job is late; its caller's time is over already. */
const ASK_MS = 1_000;

/**
 * The reason why a job has no result in time; a bare `timeout` would leave its caller in the dark.
 *
 * @param late the error that the waiting ended with
 * @returns `no_worker` if nobody serves the model; else `timeout` with how many do, and what waits
 */
export async function lateReason(
  redis: RedisClient,
  model: OpenModel,
  late: RankmillError,
): Promise<RankmillError> {
  if (late.code !== "timeout") return late;
  const asked = Promise.all([listWorkers(redis, model.tag), model.queue.counts()]);
  const answer = await waitAtMost(asked, ASK_MS).catch(() => undefined);
  if (answer?.status !== "settled") return late;
  const [workers, { waiting, active, delayed }] = answer.value;
  const { name } = model;
  const numbers = numbersName(model);
  if (workers.length === 0) {
    return new RankmillError(
      "no_worker",
      `${late.message}: no worker serves ${name} (${numbers}) on this Redis; start one with "${workerCommand(model)}"`,
      { cause: late, context: { ...late.context, model: name } },
    );
  }
  const many = workers.length === 1 ? "1 worker serves" : `${workers.length} workers serve`;
  return new RankmillError(
    "timeout",
    `${late.message}: ${many} ${name} (${numbers}); jobs of this model: ${active} in hand, ${waiting + delayed} waiting`,
    { cause: late, context: { ...late.context, model: name } },
  );
}
