/** The plan that joins the pieces of a document to windows. Tokens are the document's own alone. */
export interface WindowPlanOptions {
  /** Tokens of one window. */
  readonly roomTokens: number;
  /** Tokens that a window shares with the one before, at least, as far as there is room. */
  readonly overlapTokens: number;
  readonly maxWindows: number;
  /** Tokens of the document that are read. */
  readonly maxTokens: number;
}

/** A window, made of whole pieces. */
export interface PlannedWindow {
  /** Indexes of pieces: the first, and the one after the last. */
  readonly firstPiece: number;
  readonly endPiece: number;
  /** Tokens of the document before the window. */
  readonly tokensBefore: number;
}

export interface WindowPlan {
  readonly windows: readonly PlannedWindow[];
  /** False if pieces lie beyond the last window, or tokens beyond the document's limit. */
  readonly readsAll: boolean;
}

/**
 * Plans a document's windows. Each takes as many pieces as fit, one at least; the next begins so many
 * pieces earlier than the last one ended that they share `overlapTokens` or more, but always adds a
 * piece. So every piece lies in a window, up to the limits.
 *
 * @param pieceTokens tokens of each piece
 */
export function planWindows(
  pieceTokens: readonly number[],
  { roomTokens, overlapTokens, maxWindows, maxTokens }: WindowPlanOptions,
): WindowPlan {
  const { tokens, cut } = withinLimit(pieceTokens, maxTokens);
  const windows: PlannedWindow[] = [];
  let firstPiece = 0;
  let tokensBefore = 0;
  while (firstPiece < tokens.length && windows.length < maxWindows) {
    const endPiece = endOfWindow(tokens, firstPiece, roomTokens);
    windows.push({ firstPiece, endPiece, tokensBefore });
    if (endPiece === tokens.length) return { windows, readsAll: !cut };
    const next = startOfNext(tokens, firstPiece, endPiece, roomTokens, overlapTokens);
    for (let piece = firstPiece; piece < next; piece += 1) tokensBefore += tokens[piece] ?? 0;
    firstPiece = next;
  }
  return { windows, readsAll: firstPiece >= tokens.length && !cut };
}

/** The pieces that begin within the limit, the last one cut to it. */
function withinLimit(
  pieceTokens: readonly number[],
  maxTokens: number,
): { tokens: readonly number[]; cut: boolean } {
  let before = 0;
  for (const [piece, tokens] of pieceTokens.entries()) {
    if (before + tokens > maxTokens) {
      const last = maxTokens - before;
      const kept = pieceTokens.slice(0, piece);
      return { tokens: last > 0 ? [...kept, last] : kept, cut: true };
    }
    before += tokens;
  }
  return { tokens: pieceTokens, cut: false };
}

function endOfWindow(tokens: readonly number[], first: number, room: number): number {
  let sum = tokens[first] ?? 0;
  let end = first + 1;
  for (let next = tokens[end]; next !== undefined && sum + next <= room; next = tokens[end]) {
    sum += next;
    end += 1;
  }
  return end;
}

function startOfNext(
  tokens: readonly number[],
  first: number,
  end: number,
  room: number,
  overlap: number,
): number {
  const added = tokens[end] ?? 0;
  let start = end;
  let shared = 0;
  while (start - 1 > first && shared < overlap) {
    const more = tokens[start - 1] ?? 0;
    if (shared + more + added > room) break;
    shared += more;
    start -= 1;
  }
  return start;
}
