import type { CaseRange } from "../child.js";
import { TARGETS } from "../targets/registry.js";

/**
 * So many cases shared out among the targets.
 *
 * @param target its name; undefined: all of them
 * @throws RangeError for a name that no target has
 */
export function sharesOf(target: string | undefined, cases: number): CaseRange[] {
  const chosen = TARGETS.filter(({ name }) => target === undefined || name === target);
  if (chosen.length === 0) throw new RangeError(`no target ${target ?? ""}`);
  const weights = chosen.reduce((sum, { weight }) => sum + weight, 0);
  return chosen.map(({ name, weight }) => ({
    target: name,
    first: 0,
    count: Math.ceil((cases * weight) / weights),
  }));
}
