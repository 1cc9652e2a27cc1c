import type { InputRecord } from "../../../src/core/record.js";

/** Jobs of one size; a ranking is as long as that many documents make it. */
export interface Load {
  readonly name: string;
  readonly jobs: number;
  readonly documents: number;
}

const DOCUMENT_CHARS = 500;
const WORDS =
  "mill grain stone water wheel flour sack baker bread oven river dam sluice gear".split(" ");

export type ValidRecord = Extract<InputRecord, { status: "valid" }>;

/** Records that no other repetition has: an equal one would be answered from the result store. */
export function makeRecords({ jobs, documents }: Load, repetition: string): ValidRecord[] {
  let serial = 0;
  return Array.from({ length: jobs }, (_, job) => {
    const texts = Array.from({ length: documents }, () => {
      serial += 1;
      let text = `${repetition} ${serial}`;
      for (let at = serial * 31; text.length < DOCUMENT_CHARS; at = (at * 7 + 3) % 65_537) {
        text += ` ${WORDS[at % WORDS.length]}${at}`;
      }
      return { text: text.slice(0, DOCUMENT_CHARS) };
    });
    const request = { id: `${repetition}-${job}`, query: `which mill is ${job}`, documents: texts };
    const bytes = Buffer.byteLength(JSON.stringify(request));
    return { status: "valid", line: job + 1, request, bytes, ignoredFields: [] };
  });
}

/** A line of the length of a ranking. */
export function rankingLine(id: string, documents: number): string {
  const results = Array.from({ length: documents }, (_, index) => ({
    index,
    relevance_score: 0.9061690154616042 - index / 1e6,
    logit: 2.267730712890625 - index,
  }));
  const usage = { pairs: documents, tokens: 100 * documents, truncated: 0 };
  return JSON.stringify({ id, model: "free", results, usage });
}
