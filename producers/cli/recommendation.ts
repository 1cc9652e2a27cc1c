/** A recommended model in words: which, why, and the commands to type. */
import { Help } from "commander";
import type { CatalogueEntry } from "../../src/core/catalogue.js";
import { exportCommand } from "../../src/models/export-command.js";
import { computeOf, qualityOf } from "../../src/models/filter-models.js";
import type { Needs, Recommendation } from "../../src/models/recommend.js";
import { languageName } from "./language-code.js";
import { paint, painted, type Painted } from "./painted.js";

const INDENT = "  ";

/** @param width of the lines, except those with commands, which are to be copied whole */
export function recommendationLines(
  found: Recommendation,
  needs: Needs,
  width: number,
): (string | Painted)[] {
  const { entry } = found;
  const wrapped = (text: string): string[] =>
    new Help()
      .boxWrap(text, width - INDENT.length)
      .split("\n")
      .map((line) => INDENT + line);
  return [
    painted`${paint("bold", nameOf(entry))}`,
    ...[entry.description, ...reasons(found, needs)].flatMap(wrapped),
    "",
    ...commandsFor(found, needs).map((command) => INDENT + command),
  ];
}

/** The commands that bring the model, check it and use it. */
export function commandsFor(
  { entry, precision }: Pick<Recommendation, "entry" | "precision">,
  { device, use }: Needs,
): string[] {
  const name = nameOf(entry);
  const exported = exportCommand(entry);
  const options = [
    ...(precision === "fp32" ? [] : [`--precision ${precision}`]),
    ...(device === "gpu" ? ["--device cuda"] : []),
  ].join(" ");
  const model = exported === undefined ? name : `./${entry.id.slice(entry.id.indexOf("/") + 1)}`;
  const end = options === "" ? "" : ` ${options}`;
  const accept = entry.licence.nonCommercial ? " --accept-licence" : "";
  const pulled = precision === "fp32" ? "" : ` --precision ${precision}`;
  const isCompared = exported !== undefined && entry.published.length > 0;
  const compared = isCompared ? ` --published ${name}` : "";
  const precisions = precision === "fp32" ? "fp32" : `fp32,${precision}`;
  return [
    exported === undefined
      ? `rankmill models pull ${name}${pulled}${accept}`
      : `${exported} --precision ${precisions}`,
    `rankmill models verify ${model}${compared}${end}`,
    use === "online"
      ? `rankmill serve --model ${model}${end}`
      : `rankmill run input.jsonl --model ${model}${end}`,
  ];
}

function reasons(found: Recommendation, needs: Needs): string[] {
  const { entry, compute, figure, withoutExport, slowerDecoder, specialists, isNamed } = found;
  const work = times(compute);
  const lines = [
    figure === undefined
      ? `It does ${work} the work per token of bge-reranker-v2-m3; no model within reach has a comparable figure.`
      : `It has ${figure.value} on ${figure.benchmark}, the best published figure for ${work} the work per token of bge-reranker-v2-m3 or less.`,
    `Licence ${entry.licence.name}: ${entry.licence.words}.`,
  ];
  if (withoutExport !== undefined) {
    lines.push(`It must be exported once, with Python. Without that: ${nameOf(withoutExport)}.`);
  }
  if (slowerDecoder !== undefined) lines.push(whyNotDecoder(slowerDecoder, entry, figure));
  if (specialists.length > 0) {
    const names = specialists.map(nameOf).join(", ");
    lines.push(`Made for ${needs.language}, without a comparable figure: ${names}.`);
  }
  if (!isNamed) {
    lines.push(
      `No model of the catalogue names ${languageName(needs.language)}. This one reads many languages: try first whether it reads that one.`,
    );
  }
  if (!entry.tried) {
    lines.push("These are figures of others: compare on your own judgements with rankmill eval.");
  }
  return lines;
}

function whyNotDecoder(
  decoder: CatalogueEntry,
  chosen: CatalogueEntry,
  figure: Recommendation["figure"],
): string {
  const value = qualityOf(decoder, figure?.benchmark);
  const factor = (computeOf(decoder) ?? Number.NaN) / (computeOf(chosen) ?? Number.NaN);
  return `The language model ${nameOf(decoder)} is slower (${times(factor)} its work per token, and a prompt to read) and has ${value ?? "no figure"}.`;
}

function times(factor: number): string {
  return `${factor >= 10 ? Math.round(factor) : Number(factor.toPrecision(2))} times`;
}

function nameOf({ id, aliases }: CatalogueEntry): string {
  return aliases[0] ?? id;
}
