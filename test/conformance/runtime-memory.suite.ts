import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { EncodedPair } from "../../src/core/pair.js";
import { LaneProcess } from "../../src/inference/lanes/lane-process.js";
import type { WorkerRuntime } from "../../src/inference/runtime/registry.js";
import { laneOptions, randomPair } from "../support/lanes.js";
import { given, limitedAddresses, type Need } from "../support/needs.js";
import { SeededRandom } from "../support/random.js";

const MIB = 1024 * 1024;
/** Bytes of addresses that a lane may take more: room for some batches and not for others. */
const MORE_BYTES = 32 * MIB;
const LENGTH = 64;
/** Rows of batches, the largest of which wants a hundred megabytes. */
const ROWS = [1, 1_024, 1, 4, 1_024, 4, 1];

/** What holds of every runtime when memory runs out; a new one calls this. */
export function testRuntimeMemory(found: WorkerRuntime, needs: readonly Need[]): void {
  describe(
    `a lane with the runtime ${found.kind} whose memory runs out`,
    given(limitedAddresses, ...needs),
    () => {
      it("gives a batch's own logits or none", async () => {
        const batches = makeBatches();
        const expected = await logitsOf(found, batches);
        const got = await logitsOf(found, batches, MORE_BYTES);
        expect(expected).not.toContain(undefined);
        expect(got).toContain(undefined);
        expect(got.map((logits, i) => logits ?? expected[i])).toEqual(expected);
      });
    },
  );
}

/** No two of them hold the same pair. */
function makeBatches(): EncodedPair[][] {
  const random = new SeededRandom(17);
  return ROWS.map((rows) => Array.from({ length: rows }, () => randomPair(random, LENGTH)));
}

/** @returns undefined for a batch that failed, or that came after the lane had died */
async function logitsOf(
  runtime: WorkerRuntime,
  batches: readonly EncodedPair[][],
  moreBytes?: number,
): Promise<(number[] | undefined)[]> {
  const options = laneOptions("bert");
  const lane = await LaneProcess.start(0, { ...options, model: { ...options.model, runtime } });
  const logits: (number[] | undefined)[] = [];
  try {
    // Memory for the first batch is there.
    const [first = []] = batches;
    await lane.score([first]);
    if (moreBytes !== undefined) limitAddresses(lane.pid, moreBytes);
    for (const batch of batches) {
      const scored = await lane.score([batch]).catch(() => undefined);
      logits.push(scored?.[0]);
    }
  } finally {
    await lane.drain("the test is over");
  }
  return logits;
}

function limitAddresses(pid: number, moreBytes: number): void {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024 + moreBytes;
  execFileSync("prlimit", [`--pid=${pid}`, `--as=${bytes}`]);
}
