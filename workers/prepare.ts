/**
 * Prepares one model and ends: a process of its own, since the runtime blocks its thread for seconds
 * and takes up to twice the model's memory. Its parent speaks prepare-protocol.ts over IPC.
 */
import process from "node:process";
import { describeError } from "../src/core/errors.js";
import type { FromPreparer, ToPreparer } from "../src/inference/prepare/prepare-protocol.js";
import { runtimeOf } from "../src/inference/runtime/registry.js";
import { dieWithParent, followParent, lowerPriority } from "../src/platform/child-conduct.js";

function send(message: FromPreparer): void {
  process.send?.(message);
}

async function prepare(message: ToPreparer): Promise<void> {
  dieWithParent(message.parentPid);
  try {
    const { model, save, form } = message;
    const compiled = await runtimeOf(model.runtime?.kind).prepare(model, save, form);
    send({ type: "done", ...compiled });
  } catch (error) {
    send({ type: "failed", message: describeError(error).message });
  }
}

followParent();
lowerPriority();
process.on("message", (message: ToPreparer) => void prepare(message));
