import type { OutlinedCommand, OptionValue } from "./outline.js";

/** Options that are followed by the same values, each as `COMMAND:OPTION`. */
export interface ValueCase {
  readonly value: OptionValue;
  readonly patterns: readonly string[];
}

/** The values of all options, equal ones together: a script tells them by one list of patterns. */
export function valueCases(commands: readonly OutlinedCommand[]): ValueCase[] {
  const cases = new Map<string, { value: OptionValue; patterns: string[] }>();
  for (const { name, options } of commands) {
    for (const { names, value } of options) {
      if (value.kind === "none") continue;
      const key = JSON.stringify(value);
      const found = cases.get(key) ?? { value, patterns: [] };
      found.patterns.push(...names.map((option) => `${name}:${option}`));
      cases.set(key, found);
    }
  }
  return [...cases.values()];
}
