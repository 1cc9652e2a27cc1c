/**
 * What tokenizers take of a worker's memory: each kind with several vocabularies, on texts of the longest
 * lengths in scripts that show few places to cut. `src/capacity/tokenizer-memory.ts` has the bounds.
 */
import { join } from "node:path";
import { tokenizerReadingBytes } from "../../../src/capacity/tokenizer-memory.js";
import { TOKENIZER_KINDS, type TokenizerKindName } from "../../../src/tokenizers/kinds/registry.js";
import { BUILTIN_FOLDER } from "../../support/builtin-model.js";
import { fixtureFolder } from "../../support/lanes.js";
import { DATA } from "../../support/data.js";
import { LONGEST_TEXT_CHARS, SCRIPTS } from "../../support/script-texts.js";
import { measureTokenizer } from "../../support/tokenizer-memory.js";
import type { Bench } from "../support/bench.js";
import { describeHost } from "../support/host.js";
import { print, printTable, say } from "../support/print.js";

const MIB = 1024 * 1024;
const TOKENS = 512;
const LENGTHS = [65_536, LONGEST_TEXT_CHARS, 16_777_216];
/** Tokenizers that our own reads: Unigram with a charsmap. */
const READ_BY_OUR_OWN = new Set(["unigram", "xlm-r"]);
/** Folders, by the name of their tokenizer; the last two are real vocabularies. */
const FOLDERS: Readonly<Record<string, string>> = {
  "builtin-bm25": BUILTIN_FOLDER,
  modernbert: fixtureFolder("modernbert"),
  "deberta-v2": fixtureFolder("deberta-v2"),
  unigram: join(import.meta.dirname, "../../fixtures/tokenizer/unigram-precompiled"),
  bert: join(DATA, "tokenizers/bert"),
  "xlm-r": join(DATA, "tokenizers/xlmr"),
};
/** Measured at all lengths: the one whose texts cost most per kind. */
const AT_ALL_LENGTHS = new Set(["modernbert", "xlm-r"]);

export const tokenizersBench: Bench = {
  usage:
    "  tokenizers [--only KIND]\n      memory of each tokenizer kind: opened, and while it reads texts of the longest lengths",
  run,
};

async function run(args: readonly string[]): Promise<number> {
  const only = args.includes("--only") ? args[args.indexOf("--only") + 1] : undefined;
  const rows: string[][] = [];
  let exceeded = 0;
  print(`${describeHost()}\n`);
  for (const { name: kind } of TOKENIZER_KINDS) {
    if (only !== undefined && kind !== only) continue;
    for (const [tokenizer, folder] of Object.entries(FOLDERS)) {
      if (kind === "rankmill" && !READ_BY_OUR_OWN.has(tokenizer)) continue;
      for (const chars of AT_ALL_LENGTHS.has(tokenizer) ? LENGTHS : [LONGEST_TEXT_CHARS]) {
        say(`${kind} ${tokenizer} ${chars}`);
        const { row, within } = await measure(kind, tokenizer, folder, chars);
        rows.push(row);
        if (!within) exceeded += 1;
      }
    }
  }
  const head = ["kind", "tokenizer", "characters", "opened MiB", ...SCRIPTS, "planned MiB"];
  printTable(head, rows);
  print(exceeded === 0 ? "no kind takes more than is planned" : `${exceeded} rows EXCEED the plan`);
  return exceeded === 0 ? 0 : 1;
}

async function measure(
  kind: TokenizerKindName,
  tokenizer: string,
  folder: string,
  chars: number,
): Promise<{ readonly row: string[]; readonly within: boolean }> {
  const asked = { kind, folder, chars, tokens: TOKENS, scripts: SCRIPTS };
  const { bareBytes, openedBytes, texts } = await measureTokenizer(asked);
  const planned = tokenizerReadingBytes(kind, chars);
  const growths = texts.map(({ growthBytes, error }) => error ?? inMib(growthBytes));
  return {
    row: [
      kind,
      tokenizer,
      String(chars),
      inMib(openedBytes - bareBytes),
      ...growths,
      inMib(planned),
    ],
    within: texts.every(({ growthBytes }) => growthBytes <= planned),
  };
}

function inMib(bytes: number): string {
  return String(Math.ceil(bytes / MIB));
}
