// A lane whose model runs for as long as the file at its `onnxPath` exists, and blocks its thread for
// that time as native code does. The logit of a pair is its length.
import { existsSync } from "node:fs";

const POLL_INTERVAL_MS = 20;
const blocked = new Int32Array(new SharedArrayBuffer(4));
let path;

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.on("message", (message) => {
  if (message.type === "open") {
    path = message.model.onnxPath;
    process.send({ type: "ready", openMs: 0, residentBytes: 0 });
    return;
  }
  const started = performance.now();
  while (existsSync(path)) Atomics.wait(blocked, 0, 0, POLL_INTERVAL_MS);
  const logits = message.batches.map(({ ids }) => Float32Array.from(ids, (row) => row.length));
  const scoreMs = performance.now() - started;
  process.send({ type: "done", seq: message.seq, logits, scoreMs, residentBytes: 0 });
});
