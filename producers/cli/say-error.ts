import { wordingOf } from "../../src/core/errors.js";
import type { Wording } from "../../src/core/wording.js";
import { OPTIONS_BY_NAME } from "./options/all-options.js";
import { flagOf } from "./options/option-spec.js";

/** The text of an error as the command line says it: options by their flags, `--max-documents`. */
export function sayError(error: unknown): string {
  return withFlags(wordingOf(error));
}

export function withFlags(text: Wording | string): string {
  return typeof text === "string" ? text : text.spelled(flagNamed);
}

/**
 * A reason out of a failed file, which names options as the library does: `(maxDocuments)`. What is shown
 * to people names the flag; files and `--json` keep the name.
 */
export function reasonWithFlags(reason: string): string {
  return reason.replaceAll(/\(([a-z]+(?:[A-Z][a-z]+)+)\)/g, (_, name: string) => {
    return `(${flagNamed(name)})`;
  });
}

/** The flag of an option; an option that the command line does not have keeps its name. */
function flagNamed(name: string): string {
  const spec = OPTIONS_BY_NAME.get(name);
  return spec === undefined ? name : flagOf(spec);
}
