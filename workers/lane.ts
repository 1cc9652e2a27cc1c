/**
 * A lane: one process that runs the model and nothing else. Its parent is a worker; they speak
 * lane-protocol.ts over IPC. Standard output stays untouched.
 *
 * ONNX Runtime's call blocks this thread for as long as a batch takes, so the parent's death is watched
 * from a thread of its own, and signals are the parent's business: a Ctrl-C on the terminal reaches
 * this process too and must not end it before the drain is done.
 */
import process from "node:process";
import type { FromLane } from "../src/inference/lanes/lane-answers.js";
import { parseToLane, type ToLane } from "../src/inference/lanes/lane-protocol.js";
import { deviceOf } from "../src/inference/devices/registry.js";
import { runtimeOf } from "../src/inference/runtime/registry.js";
import type { Session } from "../src/inference/runtime/runtime.js";
import { warmUp } from "../src/inference/session/warm-up.js";
import { ownPrivateBytes } from "../src/inference/host/process-memory.js";
import { describeError, RankmillError } from "../src/core/errors.js";
import { dieWithParent, followParent, lowerPriority } from "../src/platform/child-conduct.js";

function send(message: FromLane): void {
  process.send?.(message);
}

/** A broken export, most often to fp16 or int8. */
const NO_NUMBER =
  "the model gives no number for any pair (NaN or infinite): its file is broken; export it again, or choose another precision";

let session: Session | undefined;

async function open(message: Extract<ToLane, { type: "open" }>): Promise<void> {
  dieWithParent(message.parentPid);
  const started = performance.now();
  try {
    session = await runtimeOf(message.model.runtime?.kind).open(message.model);
    // The first run of a session allocates and can fail where loading did not: fail here, not on
    // a user's pair. Two rows, of different length if a batch may have such.
    const ids = [new Int32Array(3), new Int32Array(message.model.unmasked === true ? 3 : 2)];
    const logits = await session.run({ ids, secondStarts: [1, 1] });
    if (!logits.some(Number.isFinite)) throw new RankmillError("model_unusable", NO_NUMBER);
    const { warmUp: shape, device } = message.model;
    const { saysOutOfMemory } = deviceOf(device);
    const tooLarge =
      shape === undefined ? undefined : await warmUp(session, shape, saysOutOfMemory);
    send({
      type: "ready",
      tooLarge,
      openMs: performance.now() - started,
      residentBytes: ownPrivateBytes(),
    });
  } catch (error) {
    send({ type: "unusable", ...describeError(error) });
  }
}

async function score(message: Extract<ToLane, { type: "score" }>): Promise<void> {
  const { seq } = message;
  const started = performance.now();
  try {
    if (session === undefined) throw new Error("no model is open");
    const logits: Float32Array[] = [];
    for (const input of message.batches) logits.push(await session.run(input));
    const scoreMs = performance.now() - started;
    const { prefixBytes } = session;
    send({ type: "done", seq, logits, scoreMs, residentBytes: ownPrivateBytes(), prefixBytes });
  } catch (error) {
    send({ type: "failed", seq, message: describeError(error).message });
  }
}

followParent();
process.on("message", (said) => {
  const message = parseToLane(said);
  if (message !== undefined) void (message.type === "open" ? open(message) : score(message));
});
lowerPriority();
