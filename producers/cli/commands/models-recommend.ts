import type { Command } from "commander";
import { RankmillError } from "../../../src/core/errors.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { recommend, USES, type Needs } from "../../../src/models/recommend.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { askFor, canAsk } from "../model-of-run.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { CATALOGUE } from "../options/catalogue.js";
import { addOptions, readOptions, type CommandValues } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { MESSAGES } from "../options/messages.js";
import { pick } from "../options/option-spec.js";
import { commandsFor, recommendationLines } from "../recommendation.js";
import { createLogger } from "../context.js";
import { languageCode } from "../language-code.js";
import { measuredWays, type WayRow } from "../measured-ways.js";
import { LANES } from "../options/lanes.js";
import { MODEL } from "../options/model.js";
import type { Painted } from "../painted.js";
import { waysAsJson, wayTable } from "../way-table.js";
import type { CatalogueEntry } from "../../../src/core/catalogue.js";
import { stopSignal } from "../stop-signal.js";
import { print, printLines } from "../terminal.js";

const GROUPS = {
  catalogue: pick(CATALOGUE, "language", "use", "licence"),
  device: pick(DEVICE, "device", "runtime", "openvinoDir"),
  model: pick(MODEL, "modelsDir", "preparedDir"),
  lanes: pick(LANES, "calibrationDir"),
  messages: pick(MESSAGES, "json"),
};
type Values = CommandValues<typeof GROUPS>;

const ANY_LICENCE = "any";
const USUAL_COLUMNS = 80;

export function addModelsRecommend(models: Command): void {
  const command = models
    .command("recommend")
    .description("name one model for a language, a device and a use, with the commands to type")
    .action(async (parsed: Record<string, unknown>) => {
      process.exitCode = await answer(readOptions(GROUPS, parsed));
    });
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill models recommend --language de --device cpu --for bulk"],
    notes: [
      `On a terminal it asks for what no option says. Elsewhere it takes English, the CPU, bulk and a licence for commercial use. The answer rests on published figures, and on the work that a model does per token.`,
    ],
  });
}

async function answer(values: Values): Promise<number> {
  const needs = await needsOf(values);
  const found = recommend(await loadCatalogue(packageRoot()), needs);
  if (found === undefined) {
    throw new RankmillError(
      "model_not_found",
      `no model of the catalogue reads "${needs.language}" ${needs.commercial ? "under a licence for commercial use" : "on this device"}: see "rankmill models list"`,
    );
  }
  const here = needs.device === "cpu" ? await hereOf(found.entry, values) : undefined;
  if (values.messages.json) {
    const { entry, precision, compute, figure } = found;
    print(
      JSON.stringify({
        model: entry.id,
        precision,
        compute,
        quality: figure ?? null,
        licence: entry.licence.name,
        slower_decoder: found.slowerDecoder?.id ?? null,
        commands: commandsFor(found, needs),
        ...(here && {
          ways: waysAsJson(here.rows),
          measured_by: here.measuredBy ?? null,
        }),
      }),
    );
  } else {
    const width = process.stdout.columns ?? USUAL_COLUMNS;
    printLines(...recommendationLines(found, needs, Math.min(width, USUAL_COLUMNS)));
    if (here !== undefined) printLines("", ...linesOf(here));
  }
  return EXIT.ok;
}

/** What is known of a model on this host. */
interface Here {
  readonly rows: readonly WayRow[];
  /** The command that measures what is not known; undefined if all is. */
  readonly measuredBy: string | undefined;
}

/** Measures nothing. */
async function hereOf(
  entry: CatalogueEntry,
  { model, device, lanes }: Values,
): Promise<Here | undefined> {
  const isExported = entry.source.kind === "export";
  const name = isExported
    ? `./${entry.id.slice(entry.id.indexOf("/") + 1)}`
    : (entry.aliases[0] ?? entry.id);
  const asked = { model: { ...model, model: name, ...NO_CHOICE }, device, lanes };
  const logger = createLogger({ logLevel: undefined, logFormat: undefined }, "warn", 2);
  const measuredBy = `rankmill models verify ${name} --precision auto`;
  try {
    const rows = await measuredWays(asked, logger, undefined, true);
    const known = rows.filter(({ kind, way }) => kind === "closed" || isKnown(way));
    return { rows: known, measuredBy: known.length === rows.length ? undefined : measuredBy };
  } catch (error) {
    if (!(error instanceof RankmillError)) throw error;
    return { rows: [], measuredBy };
  }
}

const NO_CHOICE = { precision: undefined, int8Form: undefined } as const;

function isKnown(way: WayRow["way"]): boolean {
  return "forecast" in way && way.forecast !== undefined && way.error !== undefined;
}

function linesOf({ rows, measuredBy }: Here): readonly (string | Painted)[] {
  const isMeasured = rows.some(({ kind }) => kind === "open");
  return [
    ...(isMeasured ? ["  Measured on this host:", ...wayTable(rows)] : []),
    ...(measuredBy === undefined
      ? []
      : ["  Once it is here, this measures its speed, memory and error:", `  ${measuredBy}`]),
  ];
}

async function needsOf({ catalogue, device }: Values): Promise<Needs> {
  const ask = canAsk() ? askOne : (_: string, usual: string) => Promise.resolve(usual);
  const language = languageCode(
    catalogue.language ?? (await ask("Language of the texts (en, de, …; mul: several)", "en")),
  );
  const kind = device.device === "auto" ? await ask("Device: cpu or cuda", "cpu") : device.device;
  if (kind !== "cpu" && kind !== "cuda") throw invalid(`--device: "${kind}" is none of cpu, cuda`);
  const wanted = catalogue.use ?? (await ask("Use: online (somebody waits) or bulk", "bulk"));
  const use = USES.find((one) => one === wanted);
  if (use === undefined) throw invalid(`--for: "${wanted}" is none of ${USES.join(", ")}`);
  const asked = catalogue.licence ?? (await ask("Licence: commercial or any", "commercial"));
  const licence = asked.toLowerCase();
  if (licence !== "commercial" && licence !== ANY_LICENCE) {
    throw invalid(`--licence: "${asked}" is none of commercial, ${ANY_LICENCE}`);
  }
  const commercial = licence === "commercial";
  return { language, device: kind === "cpu" ? "cpu" : "gpu", use, commercial };
}

async function askOne(question: string, usual: string): Promise<string> {
  const given = await askFor(`${question} [${usual}] `, stopSignal());
  return given === "" ? usual : given.toLowerCase();
}

function invalid(message: string): RankmillError {
  return new RankmillError("invalid_option", message);
}
