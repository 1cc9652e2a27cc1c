import { Queue } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchContainer } from "../support/container.js";
import { REPOSITORY } from "../support/places.js";
import type { PlainJob } from "../engine/ways/pad-each-job.js";
import type { AdversarialJob } from "./adversarial.js";
import type { Outcome } from "./outcome.js";
import { limitedArgs, type Places } from "../support/container-places.js";

const QUEUE = "obvious";
const LOOK_EVERY_MS = 500;
/** Jobs of one pipeline: some hold twenty megabytes. */
const JOBS_A_CHUNK = 10;

/** The obvious way in a container of its own, from this checkout. */
export class ObviousContainer {
  readonly container: BenchContainer;
  readonly #places: Places;

  private constructor(container: BenchContainer, places: Places) {
    this.container = container;
    this.#places = places;
  }

  static async start(image: string, places: Places, maxLength: number): Promise<ObviousContainer> {
    const container = await BenchContainer.start({
      image,
      args: [
        `--volume=${REPOSITORY}:${REPOSITORY}:ro`,
        `--workdir=${REPOSITORY}`,
        "--env=ORT_DISABLE_TELEMETRY=1",
        ...limitedArgs(places),
      ],
      command: [
        "node",
        "--import=tsx",
        "test/bench/memory/obvious-worker.ts",
        places.model,
        String(maxLength),
        places.redisSocket,
        QUEUE,
      ],
    });
    await container.says((line) => line === "ready");
    return new ObviousContainer(container, places);
  }

  /** Until all is done or the container is gone: nobody starts it again here. */
  async score(jobs: readonly AdversarialJob[]): Promise<Outcome> {
    const connection = { path: this.#places.redisSocket, maxRetriesPerRequest: null };
    const queue = new Queue<PlainJob>(QUEUE, { connection });
    const pairs = jobs.reduce((sum, job) => sum + job.documents.length, 0);
    try {
      for (let at = 0; at < jobs.length; at += JOBS_A_CHUNK) {
        await queue.addBulk(
          jobs.slice(at, at + JOBS_A_CHUNK).map((job, offset) => ({
            name: String(at + offset),
            data: { query: job.query, documents: job.documents },
            opts: { removeOnComplete: false },
          })),
        );
      }
      let gone = false;
      void this.container.ended.then(() => (gone = true));
      for (;;) {
        const counts = await queue.getJobCounts("completed", "failed");
        const ended = (counts["completed"] ?? 0) + (counts["failed"] ?? 0);
        if (gone || ended === jobs.length) break;
        await sleep(LOOK_EVERY_MS);
      }
      const completed = await queue.getCompleted(0, -1);
      const failed = await queue.getFailed(0, -1);
      const documentsOf = (some: typeof completed): number =>
        some.reduce((sum, job) => sum + job.data.documents.length, 0);
      const reasons = new Map(failed.length === 0 ? [] : [["failed", documentsOf(failed)]]);
      return { pairs, scored: documentsOf(completed), reasons };
    } finally {
      await queue.close();
    }
  }
}
