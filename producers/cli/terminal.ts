import process from "node:process";
import { writeLines } from "./live-block.js";
import { printable } from "./printable.js";
import { rendered, type Painted } from "./painted.js";

/** Everything that a command needs from the process it runs in; read here and nowhere else. */
export const env = process.env;

/** Says something to people. Lines may hold text from anywhere: none of it reaches the terminal as a command. */
export function say(...lines: (string | Painted)[]): void {
  for (const line of lines) writeLines(process.stderr, `${rendered(line, process.stderr)}\n`);
}

let rankingsHere = false;

/**
 * Standard output as the place of rankings.
 *
 * @param output the path that was asked for; `-` is here
 */
export function rankingsOut(output: string): NodeJS.WritableStream {
  rankingsHere ||= output === "-";
  return process.stdout;
}

/** True if standard output was to hold rankings: a reader that closes it early has not got them all. */
export function hadRankings(): boolean {
  return rankingsHere;
}

/** Prints a result: to a terminal as `say` does, to a file or pipe as it is. */
export function print(text: string): void {
  const shown = process.stdout.isTTY ? text.split("\n").map(printable).join("\n") : text;
  writeLines(process.stdout, `${shown}\n`);
}

/** Prints lines with colour if standard output takes it. */
export function printLines(...lines: (string | Painted)[]): void {
  for (const line of lines) writeLines(process.stdout, `${rendered(line, process.stdout)}\n`);
}
