import type { Check } from "../check.js";
import { ok, problem, warning } from "../finding.js";

const PINGS = 50;
/** Beyond this a worker with small jobs waits for Redis more than it scores. */
const SLOW_MS = 10;
/** Beyond this locks are renewed late. */
const BAD_MS = 500;

/** Round trips are short, in the middle and at the end. */
export const redisLatency: Check = {
  name: "redis-latency",
  needs: "server",
  run: async ({ redis }) => {
    const tookMs: number[] = [];
    for (let i = 0; i < PINGS; i += 1) {
      const started = performance.now();
      await redis.ping();
      tookMs.push(performance.now() - started);
    }
    tookMs.sort((a, b) => a - b);
    const [median = 0, worst = 0] = [tookMs[PINGS >> 1], tookMs.at(-1)];
    const said = `a round trip takes ${median.toFixed(1)} ms, the slowest of ${PINGS} ${worst.toFixed(1)} ms`;
    if (median > BAD_MS || worst > 4 * BAD_MS) {
      return [problem(said, "look for slow commands (SLOWLOG GET), swapping, or a bad network")];
    }
    if (median > SLOW_MS) {
      return [warning(said, "run workers nearer to Redis: in its zone, on its network")];
    }
    return [ok(said)];
  },
};
