import { SeededRandom } from "../../support/random.js";
import { multiply } from "../../support/records.js";
import { SAMPLE } from "../../support/cli.js";

const SAMPLE_RECORDS = 54;
/** Lines that end in the failed file, whatever happens. */
const BAD_LINES = ["{not json", '{"id":"without-query"}', '{"id":"no-documents","query":"q"}'];
const MOST_DOCUMENTS = 12;

/** Records made of the sample set: in an order, and with as many documents, as the seed says. */
export function makeInput(seed: number, records: number): unknown[] {
  const random = new SeededRandom(seed);
  const all = multiply(SAMPLE, Math.ceil(records / SAMPLE_RECORDS)).slice(0, records);
  const lines: unknown[] = random.shuffle(all).map((record) => {
    const documents = record["documents"];
    if (!Array.isArray(documents)) return record;
    return { ...record, documents: documents.slice(0, random.between(1, MOST_DOCUMENTS)) };
  });
  for (const bad of BAD_LINES) lines.splice(random.between(0, lines.length), 0, bad);
  return lines;
}
