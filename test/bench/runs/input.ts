import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { once } from "node:events";

export interface Shape {
  readonly jobs: number;
  readonly documents: number;
}

const DOCUMENT_CHARS = 500;
const WORDS =
  "mill grain stone water wheel flour sack baker bread oven river dam sluice gear shaft hopper sieve rye barley oats";

/** Text of `DOCUMENT_CHARS` characters that no other place of the run has. */
function documentText(serial: number): string {
  const words = WORDS.split(" ");
  let text = `document ${serial}`;
  for (let at = serial; text.length < DOCUMENT_CHARS; at += 7)
    text += ` ${words[at % words.length]}`;
  return text.slice(0, DOCUMENT_CHARS);
}

/** Writes a run's records: as many as it takes, one at a time in memory. */
export async function writeInput(path: string, { jobs, documents }: Shape): Promise<void> {
  const file = createWriteStream(path);
  for (let job = 0; job < jobs; job += 1) {
    const texts = Array.from({ length: documents }, (_, i) => documentText(job * documents + i));
    const line = JSON.stringify({
      id: `q${job}`,
      query: `which mill is number ${job}`,
      documents: texts,
    });
    if (!file.write(`${line}\n`)) await once(file, "drain");
  }
  file.end();
  await finished(file);
}
