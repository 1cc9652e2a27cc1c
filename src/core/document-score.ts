import type { EncodedPair, PairOutcome } from "./pair.js";

/** A slice of a document that was scored as if it were the document. */
export interface TextWindow {
  /** UTF-16 code units of the text, as JavaScript's `slice` counts: from `start`, up to `end`. */
  readonly start: number;
  readonly end: number;
  /** The document's own tokens: from `tokenStart`, up to `tokenEnd`. */
  readonly tokenStart: number;
  readonly tokenEnd: number;
}

/** The document that a pair reads. */
export interface PairOrigin {
  /** Its index in the request. */
  readonly document: number;
  /** Present if the job splits long documents, also for one that fits whole. */
  readonly window?: TextWindow;
}

/** A document whose text gave no pair. */
export interface UnreadDocument {
  /** Its index in the request. */
  readonly document: number;
  readonly failure: Extract<PairOutcome, { status: "failed" }>;
}

/** Pairs on their way to be scored, each with its origin. */
export interface PairPart {
  readonly pairs: readonly EncodedPair[];
  readonly origins: readonly PairOrigin[];
  readonly unread: readonly UnreadDocument[];
}

/** The result for one document: its only pair's, or its best window's. */
export interface DocumentScore {
  readonly outcome: PairOutcome;
  readonly window?: TextWindow;
  /** Pairs that were scored for it. */
  readonly pairs: number;
  /** Tokens of all of them, special tokens included. */
  readonly tokens: number;
  /** True if anything was cut off: of the query, of a window, or what no window reads. */
  readonly truncated: boolean;
}

/** Gathers what became of a job's pairs, document by document. */
export class DocumentScores {
  readonly #ofDocument: (DocumentScore | undefined)[];

  constructor(documents: number) {
    this.#ofDocument = Array.from<DocumentScore | undefined>({ length: documents });
  }

  add({ pairs, origins, unread }: PairPart, outcomes: readonly PairOutcome[]): void {
    for (const { document, failure } of unread) {
      this.#ofDocument[document] = { outcome: failure, pairs: 0, tokens: 0, truncated: false };
    }
    for (const [i, origin] of origins.entries()) {
      const [pair, outcome] = [pairs[i], outcomes[i]];
      if (pair === undefined || outcome === undefined) {
        throw new RangeError(`document ${origin.document} has no outcome`);
      }
      const reading = scoreOf(origin, pair, outcome);
      const before = this.#ofDocument[origin.document];
      this.#ofDocument[origin.document] = before === undefined ? reading : better(before, reading);
    }
  }

  /** The scores of all documents, in the order of the request. @throws RangeError if one has none */
  all(): DocumentScore[] {
    return this.#ofDocument.map((reading, document) => {
      if (reading === undefined) throw new RangeError(`document ${document} has no outcome`);
      return reading;
    });
  }
}

function scoreOf(
  { window }: PairOrigin,
  { ids, truncated }: EncodedPair,
  outcome: PairOutcome,
): DocumentScore {
  return {
    outcome: outcome.status === "failed" ? located(outcome, window) : outcome,
    ...(window === undefined ? {} : { window }),
    pairs: 1,
    tokens: ids.length,
    truncated,
  };
}

/**
 * The one with the higher logit, the earlier if equal. A window without a score leaves the
 * document without one: the highest of the others need not be its highest.
 */
function better(before: DocumentScore, after: DocumentScore): DocumentScore {
  return {
    ...(takesOver(before.outcome, after.outcome) ? after : before),
    pairs: before.pairs + after.pairs,
    tokens: before.tokens + after.tokens,
    truncated: before.truncated || after.truncated,
  };
}

function takesOver(before: PairOutcome, after: PairOutcome): boolean {
  if (before.status === "failed") return false;
  return after.status === "failed" || after.logit > before.logit;
}

function located(
  failure: Extract<PairOutcome, { status: "failed" }>,
  window: TextWindow | undefined,
): PairOutcome {
  if (window === undefined) return failure;
  const { start, end } = window;
  return { ...failure, message: `characters ${start} to ${end}: ${failure.message}` };
}
