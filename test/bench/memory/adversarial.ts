import { SeededRandom } from "../../support/random.js";

export interface AdversarialJob {
  readonly query: string;
  readonly documents: readonly string[];
  readonly maxLength: number;
}

export interface AdversarialMix {
  /** Pairs of all jobs together. */
  readonly pairs: number;
  /** The share of documents that have 512 tokens, 0 … 1. */
  readonly mediumShare: number;
  /** The share of documents that are longer than the model reads, 0 … 1. */
  readonly longShare: number;
  /** Tokens of the longest pair that the model reads. */
  readonly maxLength: number;
  /** Documents of two megabytes among them. */
  readonly hugeDocuments: number;
  /** Jobs of 1,000 documents among them. */
  readonly wideJobs: number;
}

const MEDIUM_WORDS = 500;
const HUGE_CHARS = 2_000_000;
const WIDE_DOCUMENTS = 1_000;
const WORDS =
  "the cell of a protein in which blood and bone are seen with effect on risk for patients who take drugs against cancer".split(
    " ",
  );

/** Short documents, long ones, huge ones, and jobs of a thousand, shuffled together. */
export function adversarialJobs(mix: AdversarialMix): AdversarialJob[] {
  const random = new SeededRandom(3);
  const text = (words: number): string =>
    Array.from({ length: words }, () => random.pick(WORDS)).join(" ");
  const document = (): string => {
    const drawn = random.next();
    if (drawn < mix.longShare) return text(mix.maxLength + 50);
    return text(drawn < mix.longShare + mix.mediumShare ? MEDIUM_WORDS : random.between(3, 40));
  };
  const job = (documents: readonly string[]): AdversarialJob => ({
    query: text(random.between(3, 12)),
    documents,
    maxLength: mix.maxLength,
  });
  const jobs: AdversarialJob[] = [];
  let left = mix.pairs;
  for (let wide = 0; wide < mix.wideJobs && left >= WIDE_DOCUMENTS; wide += 1) {
    jobs.push(job(Array.from({ length: WIDE_DOCUMENTS }, document)));
    left -= WIDE_DOCUMENTS;
  }
  const huge = text(HUGE_CHARS / 4).slice(0, HUGE_CHARS);
  let hugeLeft = mix.hugeDocuments;
  while (left > 0) {
    const count = Math.min(left, random.between(1, 20));
    const documents = Array.from({ length: count }, document);
    // Up to ten in one job: twenty megabytes.
    const hugeHere = Math.min(hugeLeft, count, random.between(0, 10));
    for (let at = 0; at < hugeHere; at += 1) documents[at] = huge;
    hugeLeft -= hugeHere;
    jobs.push(job(documents));
    left -= count;
  }
  return random.shuffle(jobs);
}
