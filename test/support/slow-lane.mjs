// A lane whose model takes as long as its `onnxPath` says, in milliseconds, and blocks its thread for
// that time as native code does. The logit of a pair is its length.
const blocked = new Int32Array(new SharedArrayBuffer(4));
let scoreMs = 0;

process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.on("message", (message) => {
  if (message.type === "open") {
    scoreMs = Number(message.model.onnxPath);
    process.send({ type: "ready", openMs: 0, residentBytes: 0 });
    return;
  }
  Atomics.wait(blocked, 0, 0, scoreMs);
  const logits = message.batches.map(({ ids }) => Float32Array.from(ids, (row) => row.length));
  process.send({ type: "done", seq: message.seq, logits, scoreMs, residentBytes: 0 });
});
