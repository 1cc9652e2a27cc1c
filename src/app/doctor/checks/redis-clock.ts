import type { Check } from "../check.js";
import { note, ok, warning } from "../finding.js";

const TOLERATED_MS = 2_000;

/** The clocks of this machine and the server agree: ages, delays and times to live are told by both. */
export const redisClock: Check = {
  name: "redis-clock",
  needs: "server",
  run: async ({ redis }) => {
    const asked = Date.now();
    const [seconds, microseconds] = await redis.time();
    const answered = Date.now();
    const theirs = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    if (!Number.isFinite(theirs)) {
      return [note("the server does not tell its time", "compare the clocks by hand")];
    }
    // The answer was made at some time in between.
    const ahead = theirs - answered > 0 ? theirs - answered : Math.min(0, theirs - asked);
    const said = `the server's clock is ${(Math.abs(ahead) / 1_000).toFixed(1)} s ${ahead > 0 ? "ahead" : "behind"}`;
    return Math.abs(ahead) > TOLERATED_MS
      ? [warning(said, "set both clocks by NTP (timedatectl set-ntp true)")]
      : [ok("both clocks agree")];
  },
};
