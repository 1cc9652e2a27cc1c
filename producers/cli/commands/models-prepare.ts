import type { Command } from "commander";
import { findEntry } from "../../../src/core/catalogue.js";
import { numbersName } from "../../../src/core/forms/numbers.js";
import { RankmillError } from "../../../src/core/errors.js";
import type { PreparedModel, PrepareEvent } from "../../../src/inference/prepare/prepare-model.js";
import { wantedRuntime } from "../../../src/inference/runtime/decide-runtime.js";
import { runtimeOf, type RuntimeKind } from "../../../src/inference/runtime/registry.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { namedPrecision } from "../../../src/core/precision.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import type { ResolvedModel } from "../../../src/models/resolve.js";
import { calibrationDir, createLogger, preparedDir, requireModel } from "../context.js";
import { findRuntime, type WithRuntime } from "../find-runtime.js";
import { settlePrecision } from "../settle-precision.js";
import { env, print, say } from "../terminal.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { DOWNLOAD } from "../options/download.js";
import { LANES } from "../options/lanes.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { pick } from "../options/option-spec.js";
import { PREPARE } from "../options/prepare.js";

import { fetchModel } from "./models-pull.js";

const GROUPS = {
  model: pick(MODEL, "precision", "maxScoreError", "int8Form", "modelsDir", "preparedDir"),
  device: pick(DEVICE, "runtime", "openvinoDir"),
  prepare: PREPARE,
  lanes: pick(LANES, "calibrationDir"),
  download: pick(DOWNLOAD, "acceptLicence", "hubEndpoint", "hubToken"),
  messages: pick(MESSAGES, "json"),
};

/** The hub's name of a model: owner and name. */
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

export function addModelsPrepare(models: Command): void {
  const command = models
    .command("prepare")
    .argument("<model>", "name, alias or folder")
    .description("compile a model for this host, so that all lanes share its memory")
    .action(async (model: string, parsed: Record<string, unknown>) => {
      process.exitCode = await prepare(model, parsed);
    });
  addOptions(command, GROUPS, ["precision", "runtime", "pullFirst", "calibrateAhead", "json"]);
  addHelp(command, {
    examples: ["rankmill models prepare ms-marco-MiniLM-L6-v2 --pull --calibrate"],
    notes: [
      `A worker does the same when it starts and finds no prepared model. Prepared files fit the CPU and the runtime that made them; files of several hosts may share a folder. With --pull --calibrate, workers that share the folders and have as many cores start with nothing left to do.`,
    ],
  });
}

async function prepare(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { pullFirst, calibrateAhead, fullCheck } = values.prepare;
  if (pullFirst) await bringHere(name, values);
  const { kind, model, runtime } = await chosenModel(name, values);
  const folder = preparedDir(values.model.preparedDir);
  const { openTokenizer } = await import("../../../src/tokenizers/open-tokenizer.js");
  // Opening it keeps what it is compiled to, if our own implementation reads it.
  const { tokenizer } = await openTokenizer(model.folder.path, {
    compiledDir: folder,
    onNote: say,
  });
  await tokenizer.close();
  const prepared = await compile({ model, runtime }, folder, fullCheck);
  if (calibrateAhead) {
    const measure = await import("../../../src/app/worker/calibrate-ahead.js");
    await measure.calibrateAhead({
      model,
      runtime,
      preparedDir: folder,
      calibrationDir: calibrationDir(values.lanes.calibrationDir),
      env,
      logger: createLogger({ logLevel: undefined, logFormat: undefined }, "info", 2),
    });
  }
  if (prepared === undefined) {
    say(`${model.name} ${numbersName(model)}: ${runtimeOf(kind).name} loads the model's own file`);
  }
  return report(model, prepared, tokenizer.kind, values.messages.json);
}

/** The model on a CPU, in the precision that was named or measured. */
async function chosenModel(
  name: string,
  { model, device, lanes }: CommandValues<typeof GROUPS>,
): Promise<WithRuntime & { readonly kind: RuntimeKind }> {
  const onCpu = { device: "cpu", deviceFallback: "fail", cudaDir: undefined } as const;
  const asked = { model: { ...model, model: name }, device: { ...device, ...onCpu }, lanes };
  const logger = createLogger({ logLevel: undefined, logFormat: undefined }, "warn", 2);
  const settled = await settlePrecision(asked, { tell: say, logger });
  const kind = wantedRuntime(settled.device.runtime, settled.model.precision);
  const found = await requireModel(settled.model);
  return { kind, ...(await findRuntime(kind, settled.device, found)) };
}

/** Prepares the model and says how far it is. @returns undefined if there is nothing to prepare */
async function compile(
  { model, runtime }: WithRuntime,
  folder: string,
  fullCheck: boolean,
): Promise<PreparedModel | undefined> {
  const { isPreparable, prepareResolved, TMPFS_WARNING } =
    await import("../../../src/app/worker/prepared-model.js");
  // ONNX Runtime's graph is another one however small the model is.
  if (runtimeOf(runtime.kind).mapsWeights && !isPreparable(model)) return undefined;
  const prepared = await prepareResolved({
    model,
    runtime,
    preparedDir: folder,
    env,
    fullCheck,
    onProgress: (event) => say(progressLine(event)),
  });
  if (prepared.onTmpfs) say(TMPFS_WARNING);
  return prepared;
}

/** @param prepared undefined if lanes load the model's own file */
function report(
  model: ResolvedModel,
  prepared: PreparedModel | undefined,
  tokenizer: string,
  json: boolean,
): number {
  if (json) {
    print(
      JSON.stringify({
        model: model.name,
        precision: model.precision,
        form: model.form,
        ...(prepared === undefined
          ? { file: model.onnxPath }
          : {
              file: prepared.onnxPath,
              key: prepared.key,
              bytes: prepared.bytes,
              reused: prepared.reused,
              prepare_ms: prepared.prepareMs,
              on_tmpfs: prepared.onTmpfs,
            }),
        tokenizer,
      }),
    );
    return EXIT.ok;
  }
  if (prepared !== undefined) {
    const how = prepared.reused ? "is prepared already" : `prepared in ${prepared.prepareMs} ms`;
    say(`${model.name} ${numbersName(model)} ${how}, ${prepared.bytes} bytes`);
  }
  print(prepared?.onnxPath ?? model.onnxPath);
  return EXIT.ok;
}

/** Fetches the model if it or its file of this precision is not here. */
async function bringHere(name: string, values: CommandValues<typeof GROUPS>): Promise<void> {
  const precision = namedPrecision(values.model.precision);
  try {
    await requireModel({ ...values.model, precision, model: name });
  } catch (error) {
    const missing =
      error instanceof RankmillError &&
      (error.code === "model_not_found" || error.code === "model_unusable");
    if (!missing || !(await canBePulled(name))) throw error;
    say(`${name} is not on this machine: pulling it`);
    await fetchModel(name, values.model, values.download);
  }
}

async function canBePulled(name: string): Promise<boolean> {
  const entry = findEntry(await loadCatalogue(packageRoot()), name);
  return entry === undefined ? HUB_ID.test(name) : entry.source.kind === "hub";
}

function progressLine(event: PrepareEvent): string {
  if (event.type === "waiting") return "another process is preparing the model: waiting for it";
  if (event.type === "rebuilding") return `the prepared model is damaged: ${event.reason}`;
  return `preparing ${Math.ceil(event.modelBytes / 1e6)} MB`;
}
