/** Lines with colour for people. Text from anywhere stays text: only the styles that are named here reach a terminal. */
import process from "node:process";
import { inspect } from "node:util";
import { printable } from "./printable.js";

const STYLES = ["bold", "dim", "red", "green", "yellow", "cyan"] as const;
export type Style = (typeof STYLES)[number];

export type ColourChoice = "auto" | "always" | "never";

interface Piece {
  readonly text: string;
  readonly style?: Style;
}

/** A line in pieces, each with its style. */
export class Painted {
  readonly pieces: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces;
  }

  /** The line without its colours. */
  toString(): string {
    return this.pieces.map(({ text }) => text).join("");
  }
}

export function paint(style: Style, text: string | number): Painted {
  return new Painted([{ text: String(text), style }]);
}

/** ``painted`${paint("green", "3")} ranked` `` */
export function painted(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Painted)[]
): Painted {
  return new Painted(
    strings.flatMap((text, i) => {
      const value = values[i];
      if (value === undefined) return [{ text }];
      return [{ text }, ...(value instanceof Painted ? value.pieces : [{ text: String(value) }])];
    }),
  );
}

let choice: ColourChoice = "auto";

/** Sets what `--color` says, for the whole process. */
export function chooseColour(wanted: ColourChoice): void {
  choice = wanted;
}

/** Whether lines on `stream` have colour: by default on a terminal, unless NO_COLOR is set or the terminal is dumb. */
export function hasColour(stream: { readonly isTTY?: boolean }): boolean {
  if (choice !== "auto") return choice === "always";
  const { NO_COLOR, TERM } = process.env;
  return stream.isTTY === true && (NO_COLOR ?? "") === "" && TERM !== "dumb";
}

/** The line as `stream` takes it: printable text, with colour if that is wanted there. */
export function rendered(line: string | Painted, stream: { readonly isTTY?: boolean }): string {
  if (typeof line === "string") return printable(line);
  const inColour = hasColour(stream);
  return line.pieces
    .map(({ text, style }) => {
      const shown = printable(text);
      const codes = style === undefined ? undefined : inspect.colors[style];
      if (!inColour || codes === undefined || shown === "") return shown;
      return `\u001b[${codes[0]}m${shown}\u001b[${codes[1]}m`;
    })
    .join("");
}
