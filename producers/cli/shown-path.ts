import { isAbsolute, relative } from "node:path";
import process from "node:process";

/** A path as people are told of it: from the working folder if the one they gave was so. */
export function shownPath(path: string, given: string): string {
  return isAbsolute(given) ? path : relative(process.cwd(), path);
}

/** A path as a shell takes it. */
export function quoted(path: string): string {
  return /^[\w./@%+,:=-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
