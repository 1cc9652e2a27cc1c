import type { Command } from "commander";
import { activate } from "../../../src/core/activation.js";
import { findEntry, type CatalogueEntry } from "../../../src/core/catalogue.js";
import { RankmillError } from "../../../src/core/errors.js";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import type { ResolvedModel } from "../../../src/models/resolve.js";
import type { WorkerDevice } from "../../../src/inference/devices/registry.js";
import { chooseDevice } from "../choose-device.js";
import { EXIT } from "../exit-codes.js";
import { addHelp } from "../options/add-help.js";
import { CATALOGUE } from "../options/catalogue.js";
import { addOptions, readOptions } from "../options/command-options.js";
import { DEVICE } from "../options/device.js";
import { MESSAGES } from "../options/messages.js";
import { MODEL } from "../options/model.js";
import { pick } from "../options/option-spec.js";
import { env, print, say } from "../terminal.js";

const GROUPS = {
  catalogue: pick(CATALOGUE, "published"),
  model: pick(MODEL, "precision", "modelsDir"),
  messages: pick(MESSAGES, "json"),
  device: DEVICE,
};

type Published = CatalogueEntry["published"][number];

/** A query with a text that answers it and one that has nothing to do with it, in words of several languages. */
const SMOKE_PAIRS = [
  {
    query: "How is flour made from wheat?",
    answer: "Wheat is ground between stones in a mill, and the flour is sifted from the bran.",
    other: "The night train to Lisbon leaves from platform four.",
  },
  {
    query: "What is the capital of France?",
    answer: "Paris is the capital of France and its largest city.",
    other: "Photosynthesis turns light into chemical energy in green leaves.",
  },
  {
    query: "Which planet is the largest in the solar system?",
    answer: "Jupiter is the largest planet in the solar system.",
    other: "A violin has four strings, tuned in fifths.",
  },
  {
    query: "Why do leaves turn red in autumn?",
    answer: "In autumn leaves lose their green chlorophyll, and red pigments become visible.",
    other: "The parliament passed a law on harbour fees.",
  },
] as const;

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
  addOptions(command, GROUPS);
  addHelp(command, {
    examples: ["rankmill models verify ./granite-r2 --published granite-reranker-r2"],
    notes: [
      `Without published scores it is a smoke test: four questions, each with an answer and a text about something else, alone and together. It fails if a score is no number, if texts together get other scores than alone, or if an answer ranks below the other text.`,
    ],
  });
}

async function verify(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = readOptions(GROUPS, parsed);
  const { device, model } = await chooseDevice(
    values.device,
    { ...values.model, model: name },
    ({ note }) => say(note),
  );
  const published = await publishedOf(model, values.catalogue.published);
  const report =
    published.length === 0
      ? await smokeTest(model, device)
      : await comparePublished(model, device, published);
  if (values.messages.json) print(JSON.stringify(report.json));
  else for (const line of report.lines) print(line);
  return report.agrees ? EXIT.ok : EXIT.someFailed;
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

interface Report {
  readonly agrees: boolean;
  readonly lines: readonly string[];
  readonly json: object;
}

async function comparePublished(
  model: ResolvedModel,
  device: WorkerDevice,
  published: readonly Published[],
): Promise<Report> {
  const { scorePairs } = await import("../../../src/app/score-pairs.js");
  const logits = await scorePairs(model, published, env, { device });
  const rows = published.map((pair, i) => {
    const score = activate(logits[i] ?? Number.NaN, pair.activation);
    const difference = Math.abs(score - pair.score);
    // A file of another precision than the published one may differ by what quantisation costs.
    return { ...pair, got: score, difference, agrees: difference <= pair.tolerance };
  });
  const agreed = rows.filter((row) => row.agrees).length;
  const { name, precision } = model;
  return {
    agrees: agreed === rows.length,
    lines: [
      ...rows.map((row) => {
        const mark = row.agrees ? "agrees " : "DIFFERS";
        return `${mark} published ${row.score} (${row.precision}, ±${row.tolerance}), here ${row.got.toFixed(6)}: ${row.query} | ${row.document.slice(0, 60)}`;
      }),
      `${agreed} of ${rows.length} published scores agree with ${name} ${precision} on this machine`,
    ],
    json: { model: name, precision, agreed, of: rows.length, pairs: rows },
  };
}

/** Whether a model without published scores tells an answer from another text. */
async function smokeTest(model: ResolvedModel, device: WorkerDevice): Promise<Report> {
  const { scorePairs } = await import("../../../src/app/score-pairs.js");
  const pairs = SMOKE_PAIRS.flatMap(({ query, answer, other }) => [
    { query, document: answer },
    { query, document: other },
  ]);
  const logits = await scorePairs(model, pairs, env, { device });
  const again = await scorePairs(model, pairs.toReversed(), env, { device });
  const rows = SMOKE_PAIRS.map(({ query }, i) => {
    const [answer = Number.NaN, other = Number.NaN] = logits.slice(2 * i, 2 * i + 2);
    return { query, answer, other, agrees: answer > other };
  });
  const finite = logits.every((logit) => Number.isFinite(logit));
  const same = logits.every((logit, i) => Object.is(logit, again[again.length - 1 - i]));
  const distinct = new Set(logits).size > 1;
  const right = rows.filter((row) => row.agrees).length;
  const faults = [
    ...(finite ? [] : ["a score is no number: the file is damaged, or its precision too coarse"]),
    ...(same ? [] : ["a pair got two scores: the device or the runtime is at fault"]),
    ...(distinct ? [] : ["all pairs got one score: the head or the prompt is wrong"]),
    ...(right === rows.length
      ? []
      : ["an answer ranks below another text: wrong head, wrong prompt, or a language it lacks"]),
  ];
  const { name, precision } = model;
  return {
    agrees: faults.length === 0,
    lines: [
      `${name} has no published scores: a smoke test instead`,
      ...rows.map(
        (row) =>
          `${row.agrees ? "right  " : "WRONG  "} ${row.answer.toFixed(4)} for the answer, ${row.other.toFixed(4)} for another text: ${row.query}`,
      ),
      ...faults,
      `${right} of ${rows.length} answers rank above another text with ${name} ${precision} on this machine`,
    ],
    json: { model: name, precision, smoke_test: true, right, of: rows.length, faults, pairs: rows },
  };
}
