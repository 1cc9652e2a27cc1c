import { z } from "zod";
import { seededRandom } from "../support/statistics.js";

export interface LoadRequest {
  readonly query: string;
  readonly documents: readonly string[];
}

/** One answer of the gateway. */
export interface Answer {
  readonly status: number;
  readonly tookMs: number;
  /** The reason of an answer that is none of 200; empty otherwise. */
  readonly reason: string;
  /** Addresses of jobs that were not ranked in time and go on. */
  readonly lateJobs: readonly string[];
}

/** What so many clients saw, each of which asks again as soon as it is answered. */
export interface Seen {
  readonly seconds: number;
  /** Milliseconds of each request that was answered with 200. */
  readonly tookMs: readonly number[];
  readonly tally: Tally;
}

export const DOCUMENTS = 20;
/** Short words are a token each in the vocabularies at hand: 120 and the rest of a pair are some 128 tokens. */
const WORDS = 120;
const VOCABULARY =
  "the of and to in is was for on that with as by it at from his an were are which this also be had has first one their its new after but who not they have her she two been other when there all during into school time may years more most only over city some world would where later up such used many can state about national out known university united then made".split(
    " ",
  );

/** Requests of which no two are equal, so that none joins another's job. */
export function* distinctRequests(
  seed: number,
  documents = DOCUMENTS,
): Generator<LoadRequest, never> {
  const random = seededRandom(seed);
  const text = (words: number): string =>
    Array.from({ length: words }, () => VOCABULARY[Math.floor(random() * VOCABULARY.length)]).join(
      " ",
    );
  for (;;) {
    yield { query: text(6), documents: Array.from({ length: documents }, () => text(WORDS)) };
  }
}

/** Counts answers by status and reason. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add({ status, reason }: Answer): void {
    // Figures differ from answer to answer, reasons do not.
    const key = `${status} ${reason.replaceAll(/\d+(\.\d+)?/g, "N")}`.trim();
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** `[status and reason, count]` of each kind, the most frequent first. */
  get counts(): [string, number][] {
    return [...this.#counts].sort(([, a], [, b]) => b - a);
  }

  /** Answers of each status but 200, as `3 × 429`. */
  get refused(): string {
    const byStatus = new Map<string, number>();
    for (const [key, count] of this.#counts) {
      const status = key.slice(0, 3);
      if (status !== "200") byStatus.set(status, (byStatus.get(status) ?? 0) + count);
    }
    return [...byStatus].map(([status, count]) => `${count} × ${status}`).join(", ") || "0";
  }
}

const answerSchema = z.object({
  results: z.array(z.unknown()).optional(),
  message: z.string().optional(),
  jobs: z.array(z.object({ url: z.string() })).optional(),
});

/** Asks once. @throws Error if an answer of 200 lacks documents */
export async function ask(
  gatewayUrl: string,
  model: string,
  { query, documents }: LoadRequest,
): Promise<Answer> {
  const askedMs = performance.now();
  const response = await fetch(`${gatewayUrl}/v1/rerank`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, query, documents }),
  });
  const { results, message = "", jobs = [] } = answerSchema.parse(await response.json());
  const { status } = response;
  if (status === 200 && results?.length !== documents.length) {
    throw new Error("an answer lacks documents");
  }
  const lateJobs = jobs.map(({ url }) => gatewayUrl + url);
  return { status, tookMs: performance.now() - askedMs, reason: message, lateJobs };
}

/** Keeps `clients` clients at it for `seconds`; the last requests are waited for. */
export async function load(
  url: string,
  model: string,
  clients: number,
  seconds: number,
  requests: Generator<LoadRequest, never>,
): Promise<Seen> {
  const tookMs: number[] = [];
  const tally = new Tally();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const answer = await ask(url, model, requests.next().value);
      tally.add(answer);
      if (answer.status === 200) tookMs.push(answer.tookMs);
      else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { seconds: (performance.now() - startMs) / 1_000, tookMs, tally };
}

/** A client that is refused waits a little, as clients do. */
const RETRY_MS = 200;
