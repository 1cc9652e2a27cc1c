import { RankmillError } from "../../../src/core/errors.js";
import { OPTIONS_BY_NAME } from "./all-options.js";
import { flagOf } from "./option-spec.js";

type Present<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

const MODEL_HINT = `; builtin-bm25 comes with rankmill, "rankmill models list" shows the others`;
const REDIS_HINT = `; give redis://host:port (only "rankmill run" brings a Redis of its own)`;

/**
 * The options that a command cannot do without, by the names code uses.
 *
 * @param hint more words on how to give them
 * @throws RankmillError `invalid_option` naming all that are missing, at once
 */
export function requireOptions<T extends Readonly<Record<string, string | undefined>>>(
  given: T,
  hint = "",
): Present<T> {
  if (isComplete(given)) return given;
  const missing = Object.keys(given).filter((name) => given[name] === undefined);
  const model = missing.includes("model") ? MODEL_HINT : "";
  const redis = missing.includes("redisUrl") ? REDIS_HINT : "";
  throw new RankmillError(
    "invalid_option",
    `${listed(missing.map(spellingOf))} missing${model}${redis}${hint}`,
    { field: missing[0] },
  );
}

function isComplete<T extends object>(given: T): given is T & Present<T> {
  return Object.values(given).every((value) => value !== undefined);
}

/** Redis is named by its variable: an address with a password belongs there. */
function spellingOf(name: string): string {
  const spec = OPTIONS_BY_NAME.get(name);
  if (spec === undefined) return name;
  return spec.env === "REDIS_URL" ? spec.env : flagOf(spec);
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  const others = names.slice(0, -1);
  return others.length === 0 ? `${last} is` : `${others.join(", ")} and ${last} are`;
}
