import { option, wording } from "../../../core/wording.js";
import type { Check } from "../check.js";
import { note, ok, problem, warning } from "../finding.js";

const MIB = 1024 * 1024;
/** A job with its place in the queue, as a share of its request: measured with short texts. */
const OVERHEAD_FACTOR = 1.5;
/** Beyond this share of the limit writes will soon be refused. */
const NEARLY_FULL_SHARE = 0.9;

/** A run's jobs in flight and the score cache fit beside what is there already. */
export const redisMemory: Check = {
  name: "redis-memory",
  needs: "server",
  run: async ({ info, description: { maxmemoryBytes, usedMemoryBytes } }, { inFlight, lanes }) => {
    const neededBytes = inFlight.maxBytes * OVERHEAD_FACTOR + (lanes.scoreCacheBytes ?? 0);
    const systemBytes = Number(info.get("total_system_memory") ?? 0);
    const roomBytes = maxmemoryBytes > 0 ? maxmemoryBytes : systemBytes;
    const used = `${mib(usedMemoryBytes)} of ${mib(roomBytes)} MiB are in use`;
    const needs = `one run takes up to ${mib(neededBytes)} MiB`;
    if (roomBytes === 0) {
      return [note("the server does not say how much memory it may take", `leave room: ${needs}`)];
    }
    if (usedMemoryBytes > NEARLY_FULL_SHARE * roomBytes) {
      return [
        problem(
          `${used}: writes are about to be refused`,
          "raise maxmemory, or remove what is done with `rankmill purge`",
        ),
      ];
    }
    if (usedMemoryBytes + neededBytes > roomBytes) {
      const most = Math.floor((roomBytes - usedMemoryBytes) / OVERHEAD_FACTOR / 2);
      return [
        warning(
          `${used}, and ${needs}`,
          wording`raise maxmemory by ${mib(usedMemoryBytes + neededBytes - roomBytes)} MiB, or lower ${option("inFlightBytes")} to ${most}`,
        ),
      ];
    }
    if (maxmemoryBytes === 0) {
      return [
        note(
          `${used}, and maxmemory is not set: the kernel may kill a server that grows`,
          "set maxmemory below what the server's host can spare",
        ),
      ];
    }
    return await Promise.resolve([ok(`${used}; ${needs}`)]);
  },
};

function mib(bytes: number): number {
  return Math.ceil(bytes / MIB);
}
