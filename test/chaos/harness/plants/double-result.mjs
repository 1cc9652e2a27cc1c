// One ranking of ten is written twice.
import { compiled, isCommand, isPicked } from "./patch.mjs";

if (isCommand("run", "runner", "results")) {
  const { Collector } = await compiled("outputs/collector.js");
  const { write } = Collector.prototype;
  Collector.prototype.write = function (lines) {
    const twice = lines.filter((line) => isPicked(JSON.parse(line).id, 10));
    return write.call(this, [...lines, ...twice]);
  };
}
