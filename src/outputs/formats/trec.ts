import type { RerankRequest } from "../../core/contract.js";
import { RankmillError } from "../../core/errors.js";
import type {
  OutputChoice,
  OutputFormat,
  OutputFormatKind,
} from "../../core/ports/output-format.js";
import { ownLines } from "../../inputs/read/lines.js";
import { openInput } from "../../inputs/read/open-input.js";
import { assertTrecToken, formatTrecQuery, readTrecRun } from "../../inputs/read/trec.js";
import { parseRankingPart, type RankedResult } from "./ranking.js";
import { RankingIndex } from "./ranking-index.js";
import { option, wording } from "../../core/wording.js";

/** A TREC run, `qid Q0 docid rank score tag` a line; of a collection in the order of its first stage. */
export const trec = { name: "trec", open } as const satisfies OutputFormatKind;

/** Lines that have been read once within the limits already. */
const ANY_LENGTH = { maxLineBytes: Number.MAX_SAFE_INTEGER };

function open({ tag, firstStage, keepRest, output }: OutputChoice): OutputFormat {
  if (/\s/.test(tag) || tag === "") {
    throw new RankmillError(
      "invalid_option",
      wording`${option("tag")}: "${tag}" is empty or has white space`,
    );
  }
  if (keepRest && (firstStage === undefined || output === "-")) throw keepRestNeeds();
  const textOf = (ranking: string): string => textOfRanking(ranking, tag);
  return {
    name: "trec",
    textOf,
    convert: (rankingsPath) =>
      firstStage === undefined
        ? inOrder(rankingsPath, textOf)
        : byFirstStage(rankingsPath, { firstStage, tag, keepRest }),
    accepts: assertFits,
  };
}

/** The error of `--keep-rest` if there is no rest, or no place for it. */
export function keepRestNeeds(): RankmillError {
  return new RankmillError(
    "invalid_option",
    wording`${option("keepRest")}: needs ${option("firstStage")}, ${option("outputFormat")} trec, and an ${option("output")} that is a file`,
  );
}

function textOfRanking(ranking: string, tag: string): string {
  const { id, results } = parseRankingPart(ranking);
  return formatTrecQuery(id, results.map(toRanked), { tag });
}

async function* inOrder(
  rankingsPath: string,
  textOf: (ranking: string) => string,
): AsyncGenerator<string> {
  const { chunks } = await openInput(rankingsPath);
  for await (const line of ownLines(chunks)) yield textOf(line);
}

async function* byFirstStage(
  rankingsPath: string,
  { firstStage, tag, keepRest }: { firstStage: string; tag: string; keepRest: boolean },
): AsyncGenerator<string> {
  const rankings = await RankingIndex.open(rankingsPath);
  try {
    const { chunks } = await openInput(firstStage);
    for await (const query of readTrecRun(chunks, ANY_LENGTH)) {
      if (query.status !== "query") continue;
      const results = await rankings.resultsOf(query.queryId);
      if (results === undefined) continue;
      const ranking = results.map(toRanked);
      const ranked = new Set(ranking.map(({ id }) => id));
      const rest = keepRest
        ? query.candidates.map(({ documentId }) => documentId).filter((id) => !ranked.has(id))
        : [];
      yield formatTrecQuery(query.queryId, ranking, { tag, rest });
    }
  } finally {
    await rankings.close();
  }
}

/** @throws RankmillError for documents without ids, or with ids that a column cannot hold */
function assertFits({ id, documents }: RerankRequest): void {
  assertTrecToken(id, "query id");
  const ids = new Set<string>();
  for (const [index, document] of documents.entries()) {
    const field = `documents[${index}].id`;
    if (document.id === undefined) {
      throw new RankmillError("invalid_field", `${field}: is missing, a TREC run names each`, {
        field,
      });
    }
    assertTrecToken(document.id, field);
    if (ids.has(document.id)) {
      throw new RankmillError("duplicate_id", `${field}: "${document.id}" is there twice`);
    }
    ids.add(document.id);
  }
}

function toRanked({ id, index, logit }: RankedResult): { id: string; logit: number } {
  if (id === undefined) {
    throw new RankmillError("invalid_field", `documents[${index}].id: is missing for a TREC run`);
  }
  return { id, logit };
}
