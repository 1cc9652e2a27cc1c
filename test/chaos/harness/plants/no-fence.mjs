// A result is written whether or not its attempt is the newest. A worker that loses a lock notices that
// most often, and ends the attempt; the fence is for when it does not, so it does not here.
import { breakScript, compiled, isCommand } from "./patch.mjs";

breakScript(
  "rankmillCommit",
  `if not newest or type(newest) == "table" or string.match(newest, "^%d+") ~= ARGV[arg + 1] then`,
  `if false then`,
);

if (isCommand("worker", "run")) {
  const { Consumer } = await compiled("redis/consumer.js");
  Consumer.prototype.cancel = () => {};
  Consumer.prototype.drop = () => {};
}
