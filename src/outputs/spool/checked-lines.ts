/**
 * The checksums of a file's lines, in a file beside it: 13 bytes per line, in order, and an end. Lines
 * that are read by other programs hold none.
 */
import { sumOf } from "../ranking-sums.js";
import type { SpoolDamage } from "./spool-damage.js";

const SUM_CHARS = 12;
/** Fixed, so that a byte that is damaged costs one sum. */
const CELL_CHARS = SUM_CHARS + 1;
const CELL = /^[0-9a-f]{12}\n$/;
/** The last cell of a file that is whole. */
export const SUMS_END = `${"end".padEnd(SUM_CHARS)}\n`;
/** A sum that cannot be read. */
const UNREADABLE = -1;
/** Lines that may be missing in a row without the rest being taken for another file. */
const LOOKAHEAD_LINES = 1_024;
/** Characters of a damaged line that show which one it was. */
export const SHOWN_CHARS = 1_024;

/** A line of a file, compared with the sums beside it. */
export type CheckedLine =
  | { readonly status: "whole"; readonly number: number; readonly text: string }
  /** Nobody wrote this line, or not like that. */
  | { readonly status: "unknown"; readonly head: string }
  /** A line that was written and is not there. */
  | { readonly status: "lost"; readonly number: number };

/** The cell of a line. */
export function sumCell(line: string): string {
  return `${sumText(line)}\n`;
}

/** The sum of a line as text. */
export function sumText(line: string): string {
  return sumOf(line).toString(16).padStart(SUM_CHARS, "0");
}

/** The sums beside a file. */
export interface Sums {
  /** Characters of the file of sums. */
  readonly text: AsyncIterable<string>;
  /**
   * Whether a line beyond the last sum counts. A file of sums that is complete has an end; in one
   * without, which was cut, it may be wanted all the same.
   */
  readonly believesRest: boolean;
}

/**
 * Compares lines with their sums. One that is damaged costs itself alone: the next that is whole is
 * found by its sum. Memory: `LOOKAHEAD_LINES` sums.
 *
 * @param sums undefined for a file that has none: all its lines count
 */
export async function* checkedLines(
  lines: AsyncIterable<string>,
  sums: Sums | undefined,
): AsyncGenerator<CheckedLine, void, undefined> {
  const expected = sums === undefined ? undefined : new ExpectedSums(sums);
  let number = 0;
  try {
    for await (const text of lines) {
      const skipped = expected === undefined ? 0 : await expected.placeOf(text);
      if (skipped === undefined) {
        yield { status: "unknown", head: text.slice(0, SHOWN_CHARS) };
        continue;
      }
      for (let i = 0; i < skipped; i += 1) yield { status: "lost", number: (number += 1) };
      expected?.drop(skipped + 1);
      yield { status: "whole", number: (number += 1), text };
    }
    for (let sum = await expected?.next(); sum !== undefined; sum = await expected?.next()) {
      // A sum that cannot be read tells of no line: it is the file of sums that is damaged.
      if (sum !== UNREADABLE) yield { status: "lost", number: (number += 1) };
    }
  } finally {
    await expected?.close();
  }
}

/**
 * The lines that are as they were written.
 *
 * @param mayEndEarly whether a crash leaves a file without its last lines, so that those are no damage
 */
export async function* wholeLines(
  lines: AsyncIterable<CheckedLine>,
  place: string,
  damage: SpoolDamage | undefined,
  mayEndEarly: boolean,
): AsyncGenerator<string, void, undefined> {
  let [unknown, lost] = [0, 0];
  for await (const line of lines) {
    if (line.status === "whole") yield line.text;
    else if (line.status === "unknown") unknown += 1;
    else lost += 1;
  }
  const found = mayEndEarly ? unknown : Math.max(unknown, lost);
  if (found > 0) damage?.add(`${place} has ${found} lines that are damaged or foreign`);
}

/** The sums of the lines that are still to come. */
class ExpectedSums {
  readonly #cells: AsyncIterator<string, void, undefined>;
  readonly #believesRest: boolean;
  #window: number[] = [];
  /** Whether the file of sums was read to its end, and whether it had one. */
  #end: "to come" | "there" | "cut off" = "to come";

  constructor({ text, believesRest }: Sums) {
    this.#cells = cellsOf(text);
    this.#believesRest = believesRest;
  }

  /** @returns the lines that are missing before it; undefined for a line that is not expected */
  async placeOf(line: string): Promise<number | undefined> {
    await this.#fill();
    const at = this.#window.indexOf(sumOf(line));
    if (at >= 0) return at;
    const [next] = this.#window;
    if (next === UNREADABLE) return 0;
    const isRest = next === undefined && this.#end === "cut off" && this.#believesRest;
    return isRest ? 0 : undefined;
  }

  drop(count: number): void {
    this.#window.splice(0, count);
  }

  async next(): Promise<number | undefined> {
    await this.#fill();
    return this.#window.shift();
  }

  /** Ends the reading of the sums: they have an end of their own, before that of their file. */
  async close(): Promise<void> {
    await this.#cells.return?.();
  }

  async #fill(): Promise<void> {
    // In steps of half a window: `placeOf` finds the line in the first place nearly always.
    if (this.#window.length > LOOKAHEAD_LINES / 2) return;
    while (this.#end === "to come" && this.#window.length < LOOKAHEAD_LINES) {
      const { value: cell } = await this.#cells.next();
      if (cell === undefined) this.#end = "cut off";
      else if (cell === SUMS_END) this.#end = "there";
      else this.#window.push(CELL.test(cell) ? Number.parseInt(cell, 16) : UNREADABLE);
    }
  }
}

async function* cellsOf(text: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let rest = "";
  for await (const piece of text) {
    rest += piece;
    let at = 0;
    for (; at + CELL_CHARS <= rest.length; at += CELL_CHARS) yield rest.slice(at, at + CELL_CHARS);
    rest = rest.slice(at);
  }
}
