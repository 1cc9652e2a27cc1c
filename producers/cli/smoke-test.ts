/** A check of a model that nobody has published scores of. */
import { numbersName } from "../../src/core/forms/numbers.js";
import type { ModelSource } from "../../src/inference/lanes/lane-model.js";
import type { Chosen } from "./choose-device.js";
import { env } from "./terminal.js";

/** What a check of a model found: for people, and as JSON. */
export interface VerifyReport {
  readonly agrees: boolean;
  readonly lines: readonly string[];
  readonly json: object;
}

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

/** Whether a model without published scores tells an answer from another text. */
export async function smokeTest(
  { model, device, runtime }: Chosen,
  source: ModelSource | undefined,
): Promise<VerifyReport> {
  const { scorePairs } = await import("../../src/app/score-pairs.js");
  const pairs = SMOKE_PAIRS.flatMap(({ query, answer, other }) => [
    { query, document: answer },
    { query, document: other },
  ]);
  const logits = await scorePairs(model, pairs, env, { device, runtime, source });
  const again = await scorePairs(model, pairs.toReversed(), env, { device, runtime, source });
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
  const { name } = model;
  const numbers = numbersName(model);
  return {
    agrees: faults.length === 0,
    lines: [
      `${name} has no published scores: a smoke test instead`,
      ...rows.map(
        (row) =>
          `${row.agrees ? "right  " : "WRONG  "} ${row.answer.toFixed(4)} for the answer, ${row.other.toFixed(4)} for another text: ${row.query}`,
      ),
      ...faults,
      `${right} of ${rows.length} answers rank above another text with ${name} ${numbers} on this machine`,
    ],
    json: {
      model: name,
      precision: numbers,
      smoke_test: true,
      right,
      of: rows.length,
      faults,
      pairs: rows,
    },
  };
}
