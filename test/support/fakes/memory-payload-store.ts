import { RankmillError } from "../../../src/core/errors.js";
import type { PayloadStore } from "../../../src/core/ports/payload-store.js";
import type { MemoryJobs } from "./memory-jobs.js";

/** Large payloads in memory, as the queue that shares the jobs was given them. */
export class MemoryPayloadStore implements PayloadStore {
  readonly #jobs: MemoryJobs;

  constructor(jobs: MemoryJobs) {
    this.#jobs = jobs;
  }

  async read(jobId: string, maxBytes: number): Promise<string | undefined> {
    await Promise.resolve();
    const payload = this.#jobs.payloads.get(jobId);
    if (payload !== undefined && Buffer.byteLength(payload) > maxBytes) {
      throw new RankmillError("damaged", `the payload of job ${jobId} exceeds ${maxBytes} bytes`);
    }
    return payload;
  }
}
