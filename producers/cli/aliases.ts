import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";

/**
 * The aliases of `--alias a=b --alias c=d`: each name in lower case → the name that it stands for.
 *
 * @throws RankmillError `invalid_option`
 */
export function parseAliases(pairs: readonly string[]): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>();
  for (const pair of pairs) {
    const [name = "", target = "", ...more] = pair.split("=").map((one) => one.trim());
    if (name === "" || target === "" || more.length > 0) {
      throw new RankmillError(
        "invalid_option",
        wording`${option("alias")}: ${JSON.stringify(pair)} is not name=model`,
        { field: "alias" },
      );
    }
    aliases.set(name.toLowerCase(), target);
  }
  return aliases;
}
