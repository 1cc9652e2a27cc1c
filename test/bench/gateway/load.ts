import { seededRandom } from "../support/statistics.js";

export interface LoadRequest {
  readonly query: string;
  readonly documents: readonly string[];
}

/** What so many clients saw, each of which asks again as soon as it is answered. */
export interface Seen {
  readonly seconds: number;
  /** Milliseconds of each request that was answered with 200. */
  readonly tookMs: readonly number[];
  readonly statuses: ReadonlyMap<number, number>;
}

export const DOCUMENTS = 20;
/** Short words are a token each in the vocabularies at hand: 120 and the rest of a pair are some 128 tokens. */
const WORDS = 120;
const VOCABULARY =
  "the of and to in is was for on that with as by it at from his an were are which this also be had has first one their its new after but who not they have her she two been other when there all during into school time may years more most only over city some world would where later up such used many can state about national out known university united then made".split(
    " ",
  );

/** Requests of which no two are equal, so that none joins another's job. */
export function* distinctRequests(seed: number): Generator<LoadRequest, never> {
  const random = seededRandom(seed);
  const text = (words: number): string =>
    Array.from({ length: words }, () => VOCABULARY[Math.floor(random() * VOCABULARY.length)]).join(
      " ",
    );
  for (;;) {
    yield { query: text(6), documents: Array.from({ length: DOCUMENTS }, () => text(WORDS)) };
  }
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
  const statuses = new Map<number, number>();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const { query, documents } = requests.next().value;
      const askedMs = performance.now();
      const answer = await fetch(`${url}/v1/rerank`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, query, documents }),
      });
      const { results } = (await answer.json()) as { results?: unknown[] };
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status === 200) {
        if (results?.length !== DOCUMENTS) throw new Error("an answer lacks documents");
        tookMs.push(performance.now() - askedMs);
      } else {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { seconds: (performance.now() - startMs) / 1_000, tookMs, statuses };
}

/** A client that is refused waits a little, as clients do. */
const RETRY_MS = 200;
