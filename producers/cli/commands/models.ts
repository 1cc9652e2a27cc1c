import type { Command } from "commander";
import { findEntry } from "../../../src/core/catalogue.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { exportCommand } from "../../../src/models/export-command.js";
import { computeOf } from "../../../src/models/filter-models.js";
import { whyNever } from "../../../src/models/never.js";
import { resolveModel } from "../../../src/models/resolve.js";
import { namedPrecision } from "../../../src/core/precision.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { digestCacheFile, modelsDir } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { addOptions, readOptions, type CommandGroups } from "../options/command-options.js";
import { DOWNLOAD } from "../options/download.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { pick } from "../options/option-spec.js";
import { print, say } from "../terminal.js";
import { addModelsList } from "./models-list.js";
import { addModelsPrepare } from "./models-prepare.js";
import { pull } from "./models-pull.js";
import { addModelsRecommend } from "./models-recommend.js";
import { addModelsVerify } from "./models-verify.js";

const MODEL_FILES = pick(MODEL, "precision", "modelsDir");
const MODEL_NUMBERS = pick(MODEL, "precision", "int8Form", "modelsDir");
const INFO_GROUPS = { model: MODEL_NUMBERS, messages: pick(MESSAGES, "json") };
const PULL_GROUPS = { model: MODEL_FILES, download: DOWNLOAD };

export function defineModels(models: Command): void {
  const add = (
    name: string,
    description: string,
    groups: CommandGroups,
    act: (model: string, parsed: Record<string, unknown>) => Promise<number>,
  ): void => {
    const command = models
      .command(name)
      .argument("<model>", "name, alias, folder or hub id")
      .description(description)
      .action(async (model: string, parsed: Record<string, unknown>) => {
        process.exitCode = await act(model, parsed);
      });
    addOptions(command, groups);
  };
  addModelsList(models);
  addModelsRecommend(models);
  add("info", "show what is known about a model", INFO_GROUPS, info);
  add(
    "pull",
    "fetch a model from the hub, verified and pinned",
    PULL_GROUPS,
    async (name, parsed) => {
      const { model, download } = readOptions(PULL_GROUPS, parsed);
      return await pull(name, model, download);
    },
  );
  addModelsVerify(models);
  addModelsPrepare(models);
}

async function info(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(INFO_GROUPS, parsed);
  const places = { packageRoot: packageRoot(), modelsDir: modelsDir(values.model.modelsDir) };
  const entry = findEntry(await loadCatalogue(places.packageRoot), name);
  const here = await resolveModel(name, {
    ...places,
    digestCacheFile: digestCacheFile(),
    onDamaged: (problem) => say(problem),
    precision: namedPrecision(values.model.precision),
    int8Form: values.model.int8Form,
  }).catch((error: unknown) => {
    if (entry === undefined) throw error;
    return undefined;
  });
  const shown = {
    name: here?.name ?? entry?.id,
    at_hand: here !== undefined,
    ...(here === undefined
      ? {}
      : {
          folder: here.folder.path,
          file: here.onnxPath,
          precision: here.precision,
          form: here.form,
          revision: here.revision,
          digest: here.digest,
        }),
    max_length: here?.maxLength ?? entry?.maxLength,
    activation: here?.activation ?? entry?.activation,
    ...(entry === undefined
      ? {}
      : {
          licence: entry.licence.name,
          licence_allows: entry.licence.words,
          languages: entry.languages,
          parameters_millions: entry.parameters,
          compute: computeOf(entry) ?? null,
          tried: entry.tried,
          choice: entry.choice,
          prompt: entry.prompt,
          ...(entry.source.kind === "none" ? { cannot_run: whyNever(entry.id, entry.source) } : {}),
          ...(entry.source.kind === "export" ? { export: exportCommand(entry) } : {}),
          quality: entry.quality,
          source: entry.source,
          notes: entry.notes,
        }),
  };
  print(JSON.stringify(shown, null, values.messages.json ? 0 : 2));
  return EXIT.ok;
}
