/** Every parser that is fuzzed. A new one is a file beside this and a line here. */
import type { FuzzTarget } from "../support/target.js";
import { calibrations, healthFiles, infos, stored } from "./answers.js";
import { containers, corpora, corpusIndexes } from "./corpora.js";
import { forms, wireBodies } from "./gateway.js";
import { models, tokenizers } from "./models.js";
import { outputs, spools } from "./outputs.js";
import { records } from "./records.js";
import { qrels, queries, trec } from "./trec.js";

export const TARGETS: readonly FuzzTarget[] = [
  records,
  trec,
  qrels,
  queries,
  corpora,
  corpusIndexes,
  containers,
  models,
  tokenizers,
  outputs,
  spools,
  infos,
  healthFiles,
  calibrations,
  stored,
  wireBodies,
  forms,
];

/** @throws RangeError for a name that no target has */
export function targetNamed(name: string): FuzzTarget {
  const found = TARGETS.find((target) => target.name === name);
  if (found !== undefined) return found;
  throw new RangeError(`no target ${name}: there are ${TARGETS.map((one) => one.name).join(", ")}`);
}
