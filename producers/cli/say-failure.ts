import process from "node:process";
import { paint, painted } from "./painted.js";
import { say } from "./terminal.js";

const NAME = "rankmill:";

/** Says why a command failed; on a terminal no word is cut at the edge. */
export function sayFailure(text: string): void {
  sayErrorLine(`${NAME} ${text}`);
}

/** Says a line that may begin with the name of the program. */
export function sayErrorLine(line: string): void {
  const { isTTY, columns } = process.stderr;
  if (!line.startsWith(`${NAME} `)) return say(line);
  const [first = "", ...rest] = isTTY ? wrapped(line, columns) : [line];
  say(painted`${paint("red", NAME)}${first.slice(NAME.length)}`, ...rest);
}

/** Lines of at most `columns` columns, as far as words are no longer; one line for a terminal that tells no width. */
export function wrapped(text: string, columns: number | undefined): string[] {
  if (columns === undefined || columns === 0) return [text];
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
