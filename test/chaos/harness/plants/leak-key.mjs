// The release of a job takes its owners along and leaves its result.
import { breakScript } from "./patch.mjs";

breakScript(
  "rankmillRelease",
  `redis.call("UNLINK", unpack(KEYS, i, i + ARGV[1] - 1))`,
  `redis.call("UNLINK", KEYS[i])`,
);
