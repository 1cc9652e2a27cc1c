import { basename } from "node:path";
import { createClient, type Client } from "../../../src/app/client/client.js";
import { HARDENED } from "../../containers/support/docker.js";
import { BenchContainer } from "../support/container.js";
import { say } from "../support/print.js";
import type { AdversarialJob } from "./adversarial.js";
import type { Outcome } from "./outcome.js";
import { limitedArgs, type Places } from "../support/container-places.js";

const JOBS_IN_FLIGHT = 64;
const JOB_TIMEOUT_MS = 1_800_000;

/** The log of a worker at work. */
interface WorkerCounts {
  lanesDied: number;
  budgetLowered: number;
}

/** `rankmill worker` in its image. */
export class RankmillContainer {
  readonly counts: WorkerCounts = { lanesDied: 0, budgetLowered: 0 };
  readonly container: BenchContainer;
  readonly #places: Places;

  private constructor(container: BenchContainer, places: Places) {
    this.container = container;
    this.#places = places;
  }

  /** @param cache a volume, for what is made of the model */
  static async start(
    image: string,
    cache: string,
    places: Places,
    args: readonly string[],
  ): Promise<RankmillContainer> {
    let worker: RankmillContainer | undefined;
    const container = await BenchContainer.start({
      image,
      args: [...HARDENED, `--volume=${cache}:/cache`, ...limitedArgs(places)],
      command: [
        "worker",
        "--model",
        places.model,
        "--redis-url",
        `unix://${places.redisSocket}`,
        ...args,
      ],
      onLine: (line) => {
        const msg = messageOf(line);
        if (/ × |instead of|refused/.test(msg)) say(`  ${msg}`);
        if (msg === "lane died") say(`  ${line}`);
        if (worker !== undefined && msg === "lane died") worker.counts.lanesDied += 1;
        if (worker !== undefined && msg.startsWith("a lane ran out of memory"))
          worker.counts.budgetLowered += 1;
      },
    });
    worker = new RankmillContainer(container, places);
    await container.says((line) => messageOf(line) === "ready");
    return worker;
  }

  async score(jobs: readonly AdversarialJob[]): Promise<Outcome> {
    const client = await createClient({ redisUrl: `unix://${this.#places.redisSocket}` });
    const model = basename(this.#places.model);
    const reasons = new Map<string, number>();
    const outcome = { pairs: 0, scored: 0, reasons };
    let next = 0;
    const feed = async (): Promise<void> => {
      for (let index = next++; index < jobs.length; index = next++) {
        const job = jobs[index];
        if (job === undefined) return;
        outcome.pairs += job.documents.length;
        const { scored, failed } = await scoreOne(client, model, job, index);
        outcome.scored += scored;
        for (const [code, count] of failed) reasons.set(code, (reasons.get(code) ?? 0) + count);
      }
    };
    try {
      await Promise.all(Array.from({ length: JOBS_IN_FLIGHT }, feed));
    } finally {
      await client.close();
    }
    return outcome;
  }
}

async function scoreOne(
  client: Client,
  model: string,
  job: AdversarialJob,
  index: number,
): Promise<{ readonly scored: number; readonly failed: readonly (readonly [string, number])[] }> {
  try {
    const enqueued = await client.enqueue({ ...job, model, id: `job-${index}` });
    const ranking = await enqueued.result({ timeoutMs: JOB_TIMEOUT_MS });
    return {
      scored: ranking.results.length,
      failed: ranking.errors.map(({ code }) => [code, 1] as const),
    };
  } catch (error) {
    const code = (error as { code?: string }).code ?? "unknown";
    return { scored: 0, failed: [[code, job.documents.length]] };
  }
}

function messageOf(line: string): string {
  try {
    return (JSON.parse(line) as { msg?: string }).msg ?? "";
  } catch {
    return line;
  }
}
