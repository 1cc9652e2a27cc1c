import type { Command } from "commander";
import { activate } from "../../../src/core/activation.js";
import { findEntry, type CatalogueEntry } from "../../../src/core/catalogue.js";
import { arePrepared, numbersName } from "../../../src/core/forms/numbers.js";
import type { ModelSource } from "../../../src/inference/lanes/lane-model.js";
import { RankmillError } from "../../../src/core/errors.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import type { ResolvedModel } from "../../../src/models/resolve.js";
import { chooseDevice, type Chosen } from "../choose-device.js";
import { createLogger, preparedDir } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { CATALOGUE } from "../options/catalogue.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { LANES } from "../options/lanes.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { pick } from "../options/option-spec.js";
import { settlePrecision } from "../settle-precision.js";
import { smokeTest, type VerifyReport } from "../smoke-test.js";
import { env, print, printLines, say } from "../terminal.js";
import { measuredWays } from "../measured-ways.js";
import { waysAsJson, wayTable } from "../way-table.js";

const GROUPS = {
  catalogue: pick(CATALOGUE, "published"),
  model: pick(MODEL, "precision", "maxScoreError", "int8Form", "modelsDir", "preparedDir"),
  lanes: pick(LANES, "calibrationDir"),
  messages: pick(MESSAGES, "json"),
  device: DEVICE,
};

type Published = CatalogueEntry["published"][number];

export function addModelsVerify(models: Command): void {
  const command = models
    .command("verify")
    .argument("<model>", "name, alias, folder or hub id")
    .description(
      "score the model's published pairs and compare; else see that it tells answers apart",
    )
    .action(async (name: string, parsed: Record<string, unknown>) => {
      process.exitCode = await verify(name, parsed);
    });
  addOptions(command, GROUPS, ["precision", "maxScoreError", "published", "json"]);
  addHelp(command, {
    examples: ["rankmill models verify ./granite-r2 --published granite-reranker-r2"],
    notes: [
      `With --precision auto it also measures every precision that this host can compute: error, speed and memory.`,
      `Without published scores it is a smoke test: four questions, each with an answer and a text about something else, alone and together. It fails if a score is no number, if texts together get other scores than alone, or if an answer ranks below the other text.`,
    ],
  });
}

async function verify(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const asked = { ...values, model: { ...values.model, model: name } };
  const logger = createLogger({ logLevel: undefined, logFormat: undefined }, "warn", 2);
  const settled = await settlePrecision(asked, { tell: say, logger });
  const chosen = await chooseDevice(settled.device, settled.model, ({ note }) => say(note));
  const ways =
    values.model.precision === "auto" ? await measuredWays(asked, logger, chosen.model) : undefined;
  const published = await publishedOf(chosen.model, values.catalogue.published);
  const source = await formedSource(chosen.model, preparedDir(values.model.preparedDir));
  const report =
    published.length === 0
      ? await smokeTest(chosen, source)
      : await comparePublished(chosen, published, source);
  if (values.messages.json) {
    print(JSON.stringify({ ...report.json, ...(ways && { ways: waysAsJson(ways) }) }));
  } else {
    for (const line of report.lines) print(line);
    if (ways !== undefined) printLines("", ...wayTable(ways));
  }
  return report.agrees ? EXIT.ok : EXIT.someFailed;
}

/** The files of a model in a numeric form; undefined: its own, in which there is nothing to make first. */
async function formedSource(
  model: ResolvedModel,
  folder: string,
): Promise<ModelSource | undefined> {
  if (!arePrepared(model)) return undefined;
  const { modelSource } = await import("../../../src/app/worker/prepared-model.js");
  const logger = createLogger({ logLevel: undefined, logFormat: undefined }, "warn", 2);
  return await modelSource(model, folder, env, logger);
}

async function publishedOf(
  model: ResolvedModel,
  as: string | undefined,
): Promise<readonly Published[]> {
  if (as === undefined) return model.entry?.published ?? [];
  const entry = findEntry(await loadCatalogue(packageRoot()), as);
  if (entry !== undefined && entry.published.length > 0) return entry.published;
  const why =
    entry === undefined ? "is no model of the catalogue" : "has no published scores there";
  throw new RankmillError("invalid_option", `--published: ${as} ${why}: leave it out`);
}

async function comparePublished(
  { model, device, runtime }: Chosen,
  published: readonly Published[],
  source: ModelSource | undefined,
): Promise<VerifyReport> {
  const { scorePairs } = await import("../../../src/app/score-pairs.js");
  const logits = await scorePairs(model, published, env, { device, runtime, source });
  const rows = published.map((pair, i) => {
    const score = activate(logits[i] ?? Number.NaN, pair.activation);
    const difference = Math.abs(score - pair.score);
    // A file of another precision than the published one may differ by what quantisation costs.
    return { ...pair, got: score, difference, agrees: difference <= pair.tolerance };
  });
  const agreed = rows.filter((row) => row.agrees).length;
  const { name } = model;
  const numbers = numbersName(model);
  return {
    agrees: agreed === rows.length,
    lines: [
      ...rows.map((row) => {
        const mark = row.agrees ? "agrees " : "DIFFERS";
        return `${mark} published ${row.score} (${row.precision}, ±${row.tolerance}), here ${row.got.toFixed(6)}: ${row.query} | ${row.document.slice(0, 60)}`;
      }),
      `${agreed} of ${rows.length} published scores agree with ${name} ${numbers} on this machine`,
    ],
    json: { model: name, precision: numbers, agreed, of: rows.length, pairs: rows },
  };
}
