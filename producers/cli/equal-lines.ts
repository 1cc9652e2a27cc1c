/** Equal lines within one window that are written before the rest is counted. */
const LINES_PER_WINDOW = 10;
const WINDOW_MS = 60_000;
/** Kinds of lines that are told apart at once; the rest counts as one kind. */
const MAX_KINDS = 200;
const OTHER = "other lines";

interface Kind {
  sinceMs: number;
  lines: number;
}

/**
 * Keeps a log from filling a disk: of lines that say the same, a few are written per minute, the rest
 * is counted. Lines are the same if they differ in numbers and hashes alone.
 */
export class EqualLines {
  readonly #now: () => number;
  readonly #kinds = new Map<string, Kind>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Counts one line.
   *
   * @returns how many equal ones were left out before it; undefined if it is to be left out itself
   */
  admit(text: string): number | undefined {
    const kind = this.#kindOf(text.replaceAll(/[0-9a-f]{8,}|\d+/g, "#"));
    const nowMs = this.#now();
    if (nowMs - kind.sinceMs >= WINDOW_MS) {
      const leftOut = Math.max(0, kind.lines - LINES_PER_WINDOW);
      kind.sinceMs = nowMs;
      kind.lines = 1;
      return leftOut;
    }
    kind.lines += 1;
    return kind.lines <= LINES_PER_WINDOW ? 0 : undefined;
  }

  /** Lines left out that no later line has told of, by kind; they are told of by this. */
  takeLeftOut(): { readonly text: string; readonly leftOut: number }[] {
    const told: { text: string; leftOut: number }[] = [];
    for (const [text, kind] of this.#kinds) {
      if (kind.lines > LINES_PER_WINDOW)
        told.push({ text, leftOut: kind.lines - LINES_PER_WINDOW });
      if (this.#now() - kind.sinceMs >= WINDOW_MS) this.#kinds.delete(text);
      else kind.lines = Math.min(kind.lines, LINES_PER_WINDOW);
    }
    return told;
  }

  #kindOf(text: string): Kind {
    const key = this.#kinds.has(text) || this.#kinds.size < MAX_KINDS ? text : OTHER;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      kind = { sinceMs: this.#now(), lines: 0 };
      this.#kinds.set(key, kind);
    }
    return kind;
  }
}
