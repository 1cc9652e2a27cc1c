import { wordingOf } from "../../src/core/errors.js";
import type { Wording } from "../../src/core/wording.js";
import { OPTIONS, type OptionName } from "./options.js";

/** The text of an error as the command line says it: options by their flags, `--max-documents`. */
export function sayError(error: unknown): string {
  return withFlags(wordingOf(error));
}

export function withFlags(text: Wording | string): string {
  return typeof text === "string" ? text : text.spelled(flagOf);
}

/** The flag of an option; an option that the command line does not have keeps its name. */
function flagOf(name: string): string {
  if (!isOption(name)) return name;
  const [flag = name] = OPTIONS[name].flags.split(" ", 1);
  return flag;
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}
