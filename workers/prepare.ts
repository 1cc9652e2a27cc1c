/**
 * Prepares one model and ends: a process of its own, since the runtime blocks its thread for seconds
 * and takes up to twice the model's memory. Its parent speaks prepare-protocol.ts over IPC.
 */
import process from "node:process";
import { describeError } from "../src/core/errors.js";
import { compileModel } from "../src/inference/prepare/compile-model.js";
import type { FromPreparer, ToPreparer } from "../src/inference/prepare/prepare-protocol.js";
import { dieWithParent, followParent, lowerPriority } from "../src/platform/child-conduct.js";

function send(message: FromPreparer): void {
  process.send?.(message);
}

async function prepare(message: ToPreparer): Promise<void> {
  dieWithParent(message.parentPid);
  try {
    const compiled = await compileModel(message.model, message.save, message.form);
    send({ type: "done", ...compiled });
  } catch (error) {
    send({ type: "failed", message: describeError(error).message });
  }
}

followParent();
lowerPriority();
process.on("message", (message: ToPreparer) => void prepare(message));
