// The release of a job takes its owners along and leaves its result.
import { breakScript } from "./patch.mjs";

breakScript(
  "rankmillRelease",
  `for key = i, i + ARGV[1] - 1 do gone[#gone + 1] = KEYS[key] end`,
  `gone[#gone + 1] = KEYS[i]`,
);
