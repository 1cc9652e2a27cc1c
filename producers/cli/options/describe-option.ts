import { flagOf, type OptionSpec } from "./option-spec.js";

/** The text of an option in the help of a command. */
export function describeOption(spec: OptionSpec): string {
  const facts = [choicesOf(spec), defaultOf(spec), unusualEnvOf(spec)].filter(
    (fact) => fact !== "",
  );
  return facts.length === 0 ? spec.description : `${spec.description} (${facts.join("; ")})`;
}

/** The variable that an option's flag leads one to expect: `--top-n` → `RANKMILL_TOP_N`. */
export function usualEnvOf(spec: OptionSpec): string {
  return `RANKMILL_${flagOf(spec).replace(/^--/, "").replaceAll("-", "_").toUpperCase()}`;
}

/** Help says once how usual variables are spelt, and names the others. */
function unusualEnvOf(spec: OptionSpec): string {
  return spec.env === undefined || spec.env === usualEnvOf(spec) ? "" : `env ${spec.env}`;
}

function choicesOf(spec: OptionSpec): string {
  return spec.type === "choice" ? spec.choices.join(" | ") : "";
}

function defaultOf(spec: OptionSpec): string {
  const { unit } = spec;
  const fixed = spec.type === "flag" || spec.type === "list" ? undefined : spec.default;
  if (fixed !== undefined) return `default ${fixed}${unit === undefined ? "" : ` ${unit}`}`;
  const computed = spec.computedDefault === undefined ? [] : [`default: ${spec.computedDefault}`];
  return [...(unit === undefined ? [] : [unit]), ...computed].join("; ");
}
