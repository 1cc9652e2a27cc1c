/** Lists and objects within each other that a value from outside may have: what goes through it goes down by calls. */
export const MOST_JSON_LEVELS = 256;

/** Whether lists and objects stand within each other over more levels than that. */
export function isTooDeep(value: unknown, levels = MOST_JSON_LEVELS): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isTooDeep(inner, levels - 1));
}
