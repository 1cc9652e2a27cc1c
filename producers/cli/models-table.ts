/** The catalogue as a table for people. */
import { computeOf, MANY_LANGUAGES, qualityOf } from "../../src/models/filter-models.js";
import { shortName, type ListedModel } from "../../src/models/resolve.js";
import type { Painted } from "./painted.js";
import { textTable, type Column } from "./text-table.js";

/** Languages are named up to this many, and counted beyond. */
const NAMED_LANGUAGES = 2;
const LICENCE_CHARS = 10;
const NAME_CHARS = 28;

const COLUMNS: readonly Column<ListedModel>[] = [
  { head: "model", cell: nameOf },
  { head: "state", cell: stateOf },
  { head: "size", cell: ({ entry }) => sizeText(entry?.parameters), right: true, leaveOut: 2 },
  { head: "max", cell: ({ entry }) => lengthText(entry?.maxLength.highest), right: true },
  { head: "work", cell: workText, right: true },
  { head: "mteb", cell: qualityText, right: true, leaveOut: 1 },
  { head: "reads", cell: languagesText },
  { head: "licence", cell: licenceText },
];

/** One line per model, in at most `width` columns. */
export function modelsTable(models: readonly ListedModel[], width: number): Painted[] {
  return textTable(COLUMNS, models, width);
}

/** The name that people type, or the shortest that the catalogue knows if that one is long. */
function nameOf(model: ListedModel): string {
  const usual = shortName(model);
  if (usual.length <= NAME_CHARS) return usual;
  return model.aliases.reduce((short, one) => (one.length < short.length ? one : short), usual);
}

/** Tokens: `512`, `8k`. */
function lengthText(tokens: number | undefined): string {
  if (tokens === undefined) return "";
  return tokens >= 1_000 ? `${Math.round(tokens / 1_024)}k` : String(tokens);
}

function stateOf({ atHand, problem, entry }: ListedModel): string {
  if (atHand) return "here";
  if (problem !== undefined) return "broken";
  return entry?.source.kind === "export" ? "export" : "pull";
}

/** Millions of parameters: `4.4M`, `568M`, `4.0B`. */
function sizeText(millions: number | null | undefined): string {
  if (millions == null) return "";
  if (millions >= 1_000) return `${(millions / 1_000).toFixed(1)}B`;
  return `${millions < 10 ? millions : Math.round(millions)}M`;
}

function workText({ entry }: ListedModel): string {
  const work = entry === undefined ? undefined : computeOf(entry);
  if (work === undefined) return "";
  if (work < 0.01) return "<.01";
  return work < 1 ? withoutZero(work.toFixed(2)) : String(Number(work.toPrecision(2)));
}

function qualityText({ entry }: ListedModel): string {
  const quality = entry === undefined ? undefined : qualityOf(entry);
  return quality === undefined ? "" : withoutZero(quality.toFixed(3));
}

function withoutZero(figure: string): string {
  return figure.replace(/^0/, "");
}

function languagesText({ entry }: ListedModel): string {
  const languages = entry?.languages ?? [];
  if (languages.includes(MANY_LANGUAGES)) return "many";
  return languages.length > NAMED_LANGUAGES ? String(languages.length) : languages.join(" ");
}

function licenceText({ entry }: ListedModel): string {
  const { name = "" } = entry?.licence ?? {};
  if (name === "NOASSERTION") return "unchecked";
  const short = name.replace("LicenseRef-", "");
  return short.length > LICENCE_CHARS ? `${short.slice(0, LICENCE_CHARS - 1)}…` : short;
}
