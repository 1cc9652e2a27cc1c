import type { Command } from "commander";
import { findEntry } from "../../../src/core/catalogue.js";
import { RankmillError } from "../../../src/core/errors.js";
import type { PrepareEvent } from "../../../src/inference/prepare/prepare-model.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import type { ResolvedModel } from "../../../src/models/resolve.js";
import {
  calibrationDir,
  createLogger,
  env,
  preparedDir,
  print,
  requireModel,
  say,
} from "../context.js";
import { EXIT } from "../exit-codes.js";
import { commanderOptions, pickValues, type Values } from "../option-values.js";
import { fetchModel } from "./models-pull.js";

/** What finds the model, or fetches it. */
const FIND_OPTION_NAMES = [
  "precision",
  "modelsDir",
  "acceptLicence",
  "hubEndpoint",
  "hubToken",
] as const;
const OPTION_NAMES = [
  ...FIND_OPTION_NAMES,
  "pullFirst",
  "preparedDir",
  "fullCheck",
  "calibrateAhead",
  "calibrationDir",
  "json",
] as const;

/** What the hub calls a model: owner and name. */
const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

export function addModelsPrepare(models: Command): void {
  const command = models
    .command("prepare")
    .argument("<model>", "name, alias or folder")
    .description("compile a model for this host, so that all lanes share its memory")
    .addHelpText(
      "after",
      `
A worker does the same at its start where it is missing. Prepared files fit the CPU and the runtime
that made them; those of several hosts may share a folder. With --pull --calibrate nothing is left to
do at the start of workers that share the folders and have as many cores.`,
    )
    .action(async (model: string, parsed: Record<string, unknown>) => {
      process.exitCode = await prepare(model, parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function prepare(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const model = await (values.pullFirst === true ? atHand : requireModel)({
    ...values,
    model: name,
  });
  const { prepareResolved, TMPFS_WARNING } =
    await import("../../../src/app/worker/prepared-model.js");
  const folder = preparedDir(values.preparedDir);
  const { openTokenizer } = await import("../../../src/tokenizers/open-tokenizer.js");
  // Opening it keeps what it is compiled to, where our own implementation reads it.
  const { tokenizer } = await openTokenizer(model.folder.path, { compiledDir: folder });
  await tokenizer.close();
  const prepared = await prepareResolved({
    model,
    preparedDir: folder,
    env,
    fullCheck: values.fullCheck === true,
    onProgress: (event) => say(progressLine(event)),
  });
  if (prepared.onTmpfs) say(TMPFS_WARNING);
  if (values.calibrateAhead === true) {
    const { calibrateAhead } = await import("../../../src/app/worker/calibrate-ahead.js");
    await calibrateAhead({
      model,
      preparedDir: folder,
      calibrationDir: calibrationDir(values.calibrationDir),
      env,
      logger: createLogger("info", 2),
    });
  }
  if (values.json === true) {
    print(
      JSON.stringify({
        model: model.name,
        precision: model.precision,
        file: prepared.onnxPath,
        key: prepared.key,
        bytes: prepared.bytes,
        reused: prepared.reused,
        prepare_ms: prepared.prepareMs,
        on_tmpfs: prepared.onTmpfs,
        tokenizer: tokenizer.implementation,
      }),
    );
    return EXIT.ok;
  }
  const how = prepared.reused ? "is prepared already" : `prepared in ${prepared.prepareMs} ms`;
  say(`${model.name} ${model.precision} ${how}, ${prepared.bytes} bytes`);
  print(prepared.onnxPath);
  return EXIT.ok;
}

/** The model, fetched where it, or its file of this precision, is not here. */
async function atHand(
  values: Values<(typeof FIND_OPTION_NAMES)[number]> & { readonly model: string },
): Promise<ResolvedModel> {
  try {
    return await requireModel(values);
  } catch (error) {
    const missing =
      error instanceof RankmillError &&
      (error.code === "model_not_found" || error.code === "model_unusable");
    if (!missing || !(await canBePulled(values.model))) throw error;
    say(`${error.message}: pulling it`);
    await fetchModel(values.model, values);
    return await requireModel(values);
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
