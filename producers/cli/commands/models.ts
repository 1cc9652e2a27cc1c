import type { Command } from "commander";
import { findEntry, type CatalogueEntry } from "../../../src/core/catalogue.js";
import { RankmillError } from "../../../src/core/errors.js";
import { activate } from "../../../src/core/activation.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import {
  listModels,
  resolveModel,
  shortName,
  type ListedModel,
} from "../../../src/models/resolve.js";
import { digestCacheFile, modelsDir } from "../context.js";
import { env, print, say } from "../terminal.js";
import { chooseDevice } from "../choose-device.js";
import { EXIT } from "../exit-codes.js";
import { addOptions, readOptions, type CommandGroups } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { DOWNLOAD } from "../options/download.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { pick } from "../options/option-spec.js";

import { addModelsPrepare } from "./models-prepare.js";
import { pull } from "./models-pull.js";

const LIST_GROUPS = { model: pick(MODEL, "modelsDir"), messages: pick(MESSAGES, "json") };
const MODEL_FILES = pick(MODEL, "precision", "modelsDir");
const INFO_GROUPS = { model: MODEL_FILES, messages: pick(MESSAGES, "json") };
const PULL_GROUPS = { model: MODEL_FILES, download: DOWNLOAD };
const VERIFY_GROUPS = { ...INFO_GROUPS, device: DEVICE };

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
  const list = models
    .command("list")
    .description("list the models that are here and those that can be pulled")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await listAll(parsed);
    });
  addOptions(list, LIST_GROUPS);
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
  add("verify", "score the model's published pairs and compare", VERIFY_GROUPS, verify);
  addModelsPrepare(models);
}

async function listAll(parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(LIST_GROUPS, parsed);
  const listed = await listModels({
    packageRoot: packageRoot(),
    modelsDir: modelsDir(values.model.modelsDir),
  });
  if (values.messages.json) {
    print(JSON.stringify(listed.map(({ entry: _entry, ...rest }) => rest)));
    return EXIT.ok;
  }
  for (const model of listed) print(listLine(model));
  return EXIT.ok;
}

function listLine(model: ListedModel): string {
  const state = model.atHand
    ? `here: ${model.precisions.join(", ")}`
    : (model.problem ?? sourceOf(model.entry));
  return `${shortName(model).padEnd(36)} ${state.padEnd(24)} ${model.entry?.description ?? ""}`;
}

function sourceOf(entry: CatalogueEntry | undefined): string {
  if (entry?.source.kind === "export") return "to be exported";
  if (entry?.source.kind === "hub") return Object.keys(entry.source.files).join(", ");
  return "not here";
}

async function info(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(INFO_GROUPS, parsed);
  const places = { packageRoot: packageRoot(), modelsDir: modelsDir(values.model.modelsDir) };
  const entry = findEntry(await loadCatalogue(places.packageRoot), name);
  const here = await resolveModel(name, {
    ...places,
    digestCacheFile: digestCacheFile(),
    onDamaged: (problem) => say(problem),
    precision: values.model.precision,
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
          revision: here.revision,
          digest: here.digest,
        }),
    max_length: here?.maxLength ?? entry?.maxLength,
    activation: here?.activation ?? entry?.activation,
    ...(entry === undefined
      ? {}
      : {
          licence: entry.licence.name,
          languages: entry.languages,
          source: entry.source,
          notes: entry.notes,
        }),
  };
  print(JSON.stringify(shown, null, values.messages.json ? 0 : 2));
  return EXIT.ok;
}

async function verify(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(VERIFY_GROUPS, parsed);
  const { device, model } = await chooseDevice(
    values.device,
    { ...values.model, model: name },
    ({ note }) => say(note),
  );
  const published = model.entry?.published ?? [];
  if (published.length === 0) {
    throw new RankmillError(
      "invalid_option",
      `${model.name}: the catalogue holds no published scores to verify against`,
    );
  }
  const { scorePairs } = await import("../../../src/app/score-pairs.js");
  const logits = await scorePairs(model, published, env, { device });
  const rows = published.map((pair, i) => {
    const score = activate(logits[i] ?? Number.NaN, pair.activation);
    const difference = Math.abs(score - pair.score);
    // A file of another precision than the published one may differ by what quantisation costs.
    return { ...pair, got: score, difference, agrees: difference <= pair.tolerance };
  });
  const agreed = rows.filter((row) => row.agrees).length;
  if (values.messages.json) {
    print(
      JSON.stringify({
        model: model.name,
        precision: model.precision,
        agreed,
        of: rows.length,
        pairs: rows,
      }),
    );
  } else {
    for (const row of rows) {
      const mark = row.agrees ? "agrees " : "DIFFERS";
      print(
        `${mark} published ${row.score} (${row.precision}, ±${row.tolerance}), here ${row.got.toFixed(6)}: ${row.query} | ${row.document.slice(0, 60)}`,
      );
    }
    print(
      `${agreed} of ${rows.length} published scores agree with ${model.name} ${model.precision} on this machine`,
    );
  }
  return agreed === rows.length ? EXIT.ok : EXIT.someFailed;
}
