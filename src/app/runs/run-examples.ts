import { z } from "zod";
import { rankingSchema, type WireRanking } from "../../core/contract.js";
import type { RecordFailure } from "../../core/record.js";
import { tryStored } from "../../core/stored-json.js";

/** Examples of one kind of failure. */
const MOST_FAILURES_PER_CODE = 3;
const MOST_RANKINGS = 5;
/** Kinds of failures of which there are examples. */
const MOST_CODES = 20;

const requestSchema = z.object({
  query: z.string(),
  documents: z.array(
    z.union([
      z.string().transform((text) => ({ text })),
      z.object({ id: z.string().exactOptional(), text: z.string() }),
    ]),
  ),
});

/** A request as far as it is shown. */
export type ShownRequest = z.output<typeof requestSchema>;

export interface RankedExample {
  readonly ranking: WireRanking;
  /** Undefined if texts are not shown, or the request was not found. */
  readonly request: ShownRequest | undefined;
}

/** A few of a run's failures, by code, and of its rankings. */
export interface RunExamples {
  readonly failures: ReadonlyMap<string, readonly RecordFailure[]>;
  readonly rankings: readonly RankedExample[];
}

/** Reads a request as a job or a record holds it. */
export function readRequest(value: unknown): ShownRequest | undefined {
  return requestSchema.safeParse(value).data;
}

/** Gathers examples until there are enough. Without texts, none of them is kept. */
export class ExampleBasket implements RunExamples {
  readonly failures = new Map<string, RecordFailure[]>();
  readonly rankings: { ranking: WireRanking; request: ShownRequest | undefined }[] = [];
  readonly #withTexts: boolean;

  constructor(withTexts: boolean) {
    this.#withTexts = withTexts;
  }

  get hasAllRankings(): boolean {
    return this.rankings.length >= MOST_RANKINGS;
  }

  addRanking(line: string, request?: () => ShownRequest | undefined): void {
    if (this.hasAllRankings) return;
    const ranking = tryStored(rankingSchema, line);
    if (ranking === undefined) return;
    const { metadata: _, ...rest } = ranking;
    this.rankings.push({
      ranking: this.#withTexts ? ranking : rest,
      request: this.#withTexts ? request?.() : undefined,
    });
  }

  addFailure(failure: RecordFailure): void {
    const known = this.failures.get(failure.code) ?? [];
    if (known.length >= MOST_FAILURES_PER_CODE) return;
    if (known.length === 0 && this.failures.size >= MOST_CODES) return;
    const shown = this.#withTexts ? failure : withoutTexts(failure);
    this.failures.set(failure.code, [...known, shown]);
  }
}

/** The parser's message quotes the line. */
function withoutTexts({ line, id, code, reason }: RecordFailure): RecordFailure {
  const said = code === "invalid_json" ? "not JSON" : reason;
  return { line, ...(id !== undefined && { id }), code, reason: said, input: null };
}
