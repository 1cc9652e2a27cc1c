import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type * as Library from "../../../src/index.js";
import { BUILTIN, SAMPLE, words } from "../../support/cli.js";
import { multiply, writeRecords } from "../../support/records.js";
import { DIST } from "../support/places.js";
import type { SoakFleet } from "./fleet.js";

const JOBS_PER_SECOND = 10;
/** Results go within the soak, so that keys come to a level. */
const RESULT_TTL_SECONDS = 120;
const RESULT_TIMEOUT_MS = 120_000;
const DOCUMENTS = 10;
/** One of so many jobs has long documents. */
const LONG_EVERY = 50;
const LONG_WORDS = 20_000;
const SHORT_WORDS = 40;
const COPIES_PER_RUN = 4;
const RECORDS_PER_RUN = 54 * COPIES_PER_RUN;

/** The work that was done. */
export interface SoakWork {
  jobs: number;
  /** Jobs without a result, by the code of their error, and the message of the first. */
  readonly failures: Map<string, { readonly jobs: number; readonly first: string }>;
  runs: number;
  readonly recordsPerRun: number;
}

/** A client that enqueues at a steady rate, and spooled runs one after the other, each purged once it is over. */
export class SoakLoad {
  readonly #work: SoakWork = {
    jobs: 0,
    failures: new Map(),
    runs: 0,
    recordsPerRun: RECORDS_PER_RUN,
  };
  readonly #library: typeof Library;
  readonly #stopping = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  private constructor(library: typeof Library) {
    this.#library = library;
  }

  static async start(fleet: SoakFleet): Promise<SoakLoad> {
    const library = (await import(join(DIST, "src/index.js"))) as typeof Library;
    const client = await library.createClient({ redisUrl: fleet.server.url });
    const load = new SoakLoad(library);
    load.#ended = load.#run(client, fleet);
    return load;
  }

  async stop(): Promise<SoakWork> {
    this.#stopping.abort();
    await this.#ended;
    return this.#work;
  }

  async #run(client: Library.Client, fleet: SoakFleet): Promise<void> {
    try {
      await Promise.all([this.#enqueue(client), this.#submit(fleet)]);
    } finally {
      await client.close();
    }
  }

  async #enqueue(client: Library.Client): Promise<void> {
    const underWay = new Set<Promise<void>>();
    for (let number = 0; !this.#stopping.signal.aborted; number += 1) {
      const job = this.#job(client, number).finally(() => underWay.delete(job));
      underWay.add(job);
      await sleep(1_000 / JOBS_PER_SECOND);
    }
    await Promise.all(underWay);
  }

  async #job(client: Library.Client, number: number): Promise<void> {
    const length = number % LONG_EVERY === 0 ? LONG_WORDS : SHORT_WORDS;
    const documents = Array.from({ length: DOCUMENTS }, (_, i) =>
      `word${i + number} `.repeat(length),
    );
    try {
      const request = { id: `soak-${number}`, query: `word${number}`, documents };
      const job = await client.enqueue({
        model: BUILTIN,
        resultTtlSeconds: RESULT_TTL_SECONDS,
        ...request,
      });
      await job.result({ timeoutMs: RESULT_TIMEOUT_MS });
      this.#work.jobs += 1;
    } catch (error) {
      // The class of the built library: the one in `src` is another, and no error is an instance of it.
      const known = error instanceof this.#library.RankmillError;
      const code = known ? error.code : "no code of rankmill";
      const message = error instanceof Error ? error.message : String(error);
      const { failures } = this.#work;
      const { jobs, first } = failures.get(code) ?? { jobs: 0, first: message };
      failures.set(code, { jobs: jobs + 1, first });
    }
  }

  async #submit({ processes }: SoakFleet): Promise<void> {
    writeRecords(processes.path("in.jsonl"), multiply(SAMPLE, COPIES_PER_RUN));
    while (!this.#stopping.signal.aborted) {
      const run = `soak-${this.#work.runs}`;
      const submit = `submit --model ${BUILTIN} --input in.jsonl --spool spool --run ${run} --wait`;
      for (const line of [submit, `purge ${run} --spool spool`]) {
        const { code, stderr } = await processes.run(words(line));
        if (code !== 0) throw new Error(`rankmill ${line}: ${stderr}`);
      }
      this.#work.runs += 1;
    }
  }
}
