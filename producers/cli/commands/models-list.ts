import type { Command } from "commander";
import { computeOf, filterModels, qualityOf } from "../../../src/models/filter-models.js";
import { listModels, type ListedModel } from "../../../src/models/resolve.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { modelsDir } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { languageCode } from "../language-code.js";
import { modelsTable } from "../models-table.js";
import { CATALOGUE } from "../options/catalogue.js";
import { addHelp } from "../options/add-help.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { pick } from "../options/option-spec.js";
import { print, printLines, say } from "../terminal.js";

const GROUPS = {
  catalogue: pick(CATALOGUE, "language", "licence", "minLength", "maxSize", "sort"),
  model: pick(MODEL, "modelsDir"),
  messages: pick(MESSAGES, "json"),
};
const USUAL_COLUMNS = 80;

export function addModelsList(models: Command): void {
  const command = models
    .command("list")
    .description("list the models that are here, and those that can be fetched or exported")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await list(parsed);
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: [
      "rankmill models list --language de --licence commercial --sort compute",
      "rankmill models list --min-length 8192 --max-size 200",
    ],
    notes: [
      `state: here, pull (rankmill models pull NAME), export (rankmill models info NAME has the command). max: tokens of the longest pair. work: weights that a token passes, as a multiple of bge-reranker-v2-m3's. mteb: published nDCG@10 on MTEB English v2 retrieval; docs/quality.md has more figures and their sources.`,
    ],
  });
}

async function list(parsed: Record<string, unknown>): Promise<number> {
  const { catalogue, model, messages } = readOptions(GROUPS, parsed);
  const listed = await listModels({
    packageRoot: packageRoot(),
    modelsDir: modelsDir(model.modelsDir),
  });
  const byName = filterModels(listed, { sort: "name" });
  const wanted = filterModels(
    [...byName.filter(({ atHand }) => atHand), ...byName.filter(({ atHand }) => !atHand)],
    { ...catalogue, language: catalogue.language && languageCode(catalogue.language) },
  );
  if (messages.json) {
    print(JSON.stringify(wanted.map(asJson)));
    return EXIT.ok;
  }
  const usable = wanted.filter(({ entry }) => entry?.source.kind !== "none");
  if (usable.length === 0) {
    say("no model of the catalogue fits: leave an option out");
    return EXIT.ok;
  }
  printLines(...modelsTable(usable, process.stdout.columns ?? USUAL_COLUMNS));
  for (const { name, problem } of usable) if (problem !== undefined) say(`${name}: ${problem}`);
  const others = wanted.length - usable.length;
  if (others > 0) {
    say(`${others} more cannot be run: "rankmill models info NAME" says why`);
  }
  return EXIT.ok;
}

function asJson({ entry, ...model }: ListedModel): object {
  if (entry === undefined) return model;
  const { source, parameters, maxLength, languages, licence } = entry;
  return {
    ...model,
    source: source.kind,
    parameters_millions: parameters,
    max_length: maxLength.highest,
    compute: computeOf(entry) ?? null,
    mteb_english_v2: qualityOf(entry) ?? null,
    languages,
    licence: licence.name,
    commercial: licence.nonCommercial ? false : licence.name === "NOASSERTION" ? null : true,
  };
}
