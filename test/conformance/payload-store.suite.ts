/** The rules of every store of payloads. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fenceOf, jobOf, TTL_SECONDS, type JobPlace, type MakeJobPlace } from "./job-place.js";

export function testPayloadStore(name: string, make: MakeJobPlace): void {
  describe(`the payload store ${name}`, () => {
    const large = jobOf("large", { large: true });
    let place: JobPlace;

    beforeEach(async () => {
      place = await make();
      await place.queue.enqueue([jobOf("small"), large], "someone");
    });

    afterEach(async () => {
      await place.close();
    });

    it("holds a large request as it was given, and none for a job that carries its own", async () => {
      const { payloads } = place;
      expect(large.envelope.request).toBeUndefined();
      expect(await payloads.read(large.jobId, large.envelope.bytes)).toBe(large.payload);
      expect(await payloads.read(jobOf("small").jobId, 100_000)).toBeUndefined();
      expect(await payloads.read("none", 100_000)).toBeUndefined();
    });

    it("reads no more of a payload than its job says that there is", async () => {
      const reading = place.payloads.read(large.jobId, large.envelope.bytes - 1);
      await expect(reading).rejects.toMatchObject({ code: "damaged" });
    });

    it("drops a payload once its job has ended, and once nobody waits for it", async () => {
      const { payloads, queue, results } = place;
      const fence = fenceOf(await results.begin(large.jobId));
      await results.commit(large.jobId, fence, { status: "done", line: "{}" }, TTL_SECONDS);
      expect(await payloads.read(large.jobId, 100_000)).toBeUndefined();
      const other = jobOf("other", { large: true });
      await queue.enqueue([other], "someone");
      await queue.release([other.jobId], "someone");
      expect(await payloads.read(other.jobId, 100_000)).toBeUndefined();
    });
  });
}
