import { pino } from "pino";
import { planLanes } from "../../../capacity/plan-lanes.js";
import { RankmillError } from "../../../core/errors.js";
import { option, wording } from "../../../core/wording.js";
import { deviceOf } from "../../../inference/devices/registry.js";
import { usableCores } from "../../../inference/host/host.js";
import { memoryLimit } from "../../../inference/host/memory-limit.js";
import { laneModelOf } from "../../../inference/lanes/lane-model.js";
import type { Check } from "../check.js";
import { note, ok, problem, warning } from "../finding.js";
import { tokenizerReadingBytes } from "../../../capacity/tokenizer-memory.js";
import { openTokenizer } from "../../../tokenizers/open-tokenizer.js";
import { preparedHere } from "../prepared-here.js";

const MIB = 1024 * 1024;

/** The memory limit of this machine or container holds the model and its lanes. */
export const memory: Check = {
  name: "memory",
  needs: "model",
  run: async ({ model, device, runtime }, subject) => {
    const { lanes: asked, folders, env, maxJobBytes, maxDocumentChars } = subject;
    const limit = await memoryLimit(asked.memoryLimitBytes);
    const bound = `the memory limit of ${Math.floor(limit.bytes / MIB)} MiB (${limit.source})`;
    const wanted = asked.lanes ?? device.cards ?? (await usableCores());
    const found = deviceOf(device.kind).loadsPrepared
      ? await preparedHere(model, runtime, folders.prepared, false)
      : { status: "missing" as const };
    const source =
      found.status === "good"
        ? {
            onnxPath: found.onnxPath,
            head: model.head,
            prepared: true,
            unmasked: found.unmasked,
          }
        : { onnxPath: model.onnxPath, head: model.head };
    // Open while the memory is planned, as in a worker.
    const { tokenizer, template, kind, vocabularyBytes } = await openTokenizer(model.folder.path, {
      kind: subject.tokenizer,
    });
    try {
      const { lanes, maxJobBytes: heldJobBytes } = await planLanes({
        ...asked,
        // The figures of a calibration are guessed: nothing is measured or kept here.
        calibrationDir: undefined,
        model,
        device,
        laneModel: laneModelOf(source, template, { device, runtime }),
        env,
        tokenizer: { kind, vocabularyBytes, maxDocumentChars },
        maxJobBytes,
        logger: pino({ level: "silent" }),
      });
      const forTokenizer = vocabularyBytes + tokenizerReadingBytes(kind, maxDocumentChars);
      const holds = `${bound} holds ${lanes} lane${lanes === 1 ? "" : "s"} of ${model.name} ${model.precision} beside ${Math.ceil(forTokenizer / MIB)} MiB for its tokenizer`;
      if (lanes < wanted) {
        return [
          warning(
            `${holds}, of ${wanted}`,
            wording`raise it, or ask for fewer with ${option("lanes")}`,
          ),
        ];
      }
      if (heldJobBytes < maxJobBytes) {
        return [
          note(
            `${holds}; jobs over ${heldJobBytes} bytes would be refused`,
            "raise it for larger jobs",
          ),
        ];
      }
      return [ok(holds)];
    } catch (error) {
      if (!(error instanceof RankmillError) || error.code !== "memory_too_small") throw error;
      return [problem(error.wording, "raise the limit, or take a smaller model or precision")];
    } finally {
      await tokenizer.close();
    }
  },
};
