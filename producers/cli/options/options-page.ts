/** `npm run docs:options`: writes `docs/options.md` from the options themselves. A test fails if it is behind. */
import { realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { packageRoot } from "../../../src/platform/package-root.js";
import { createProgram } from "../program.js";
import { ALL_GROUPS, ALL_OPTIONS } from "./all-options.js";
import type { OptionGroup, OptionSpec } from "./option-spec.js";

export const OPTIONS_PAGE = "docs/options.md";

const INTRODUCTION = `# Options

<!-- \`npm run docs:options\` writes this page from producers/cli/options. -->

Every option of the command line. \`rankmill COMMAND --help\` shows the options of one command,
\`--help-all\` explains every one of them if they are many.

An option on the command line wins over its environment variable, the variable over the configuration file, and the file over the
default. An empty variable counts as unset. An option that takes a value may be given once, unless its row says otherwise.`;

/** The whole page, one table per group. */
export async function optionsPage(): Promise<string> {
  const users = commandsByFlag(await createProgram());
  const titles = [...new Set(ALL_GROUPS.map(({ title }) => title))];
  const sections = titles.map((title) => {
    const groups = ALL_GROUPS.filter((group) => group.title === title);
    return `## ${title}\n\n${tableOf(groups, users)}`;
  });
  const tables = `<!-- prettier-ignore-start -->\n\n${sections.join("\n\n")}\n\n<!-- prettier-ignore-end -->`;
  return `${INTRODUCTION}\n\n${tables}\n`;
}

/** Flags of options that no command takes: left over, or forgotten in a command. */
export async function unusedOptions(): Promise<string[]> {
  const users = commandsByFlag(await createProgram());
  return ALL_OPTIONS.map(({ flags }) => flags).filter((flags) => !users.has(flags));
}

function tableOf(groups: readonly OptionGroup[], users: ReadonlyMap<string, string[]>): string {
  const head = ["option", "environment", "default", "meaning", "commands"];
  const rows = groups
    .flatMap(({ options }) => Object.values(options))
    .map((spec) => [
      code(spec.flags),
      spec.env === undefined ? "" : code(spec.env),
      defaultOf(spec),
      meaningOf(spec),
      (users.get(spec.flags) ?? []).join(", "),
    ]);
  return [head, head.map(() => "---"), ...rows].map(row).join("\n");
}

/** Names of the commands that have an option, `models pull` in full, by the option's flags. */
function commandsByFlag(root: Command): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const visit = (command: Command, names: readonly string[]): void => {
    for (const { flags } of command.options) {
      found.set(flags, [...(found.get(flags) ?? []), names.join(" ") || "all"]);
    }
    for (const child of command.commands) visit(child, [...names, child.name()]);
  };
  visit(root, []);
  return found;
}

function defaultOf(spec: OptionSpec): string {
  if (spec.type === "list") return "none";
  if (spec.type === "flag" || spec.default === undefined) return spec.computedDefault ?? "";
  const unit = spec.unit === undefined ? "" : ` ${spec.unit}`;
  return `${code(String(spec.default))}${unit}`;
}

function meaningOf(spec: OptionSpec): string {
  // A bare `<name>` would be taken for HTML.
  const text = spec.description.replaceAll("<", String.raw`\<`);
  const description = text.charAt(0).toUpperCase() + text.slice(1);
  if (spec.type === "choice") {
    return `${description}. One of ${spec.choices.map(code).join(", ")}.`;
  }
  if (spec.type === "list") return `${description}. May be given again, or several with commas.`;
  const unsaid = spec.unit !== undefined && (spec.type === "flag" || spec.default === undefined);
  return unsaid ? `${description}. In ${spec.unit}.` : `${description}.`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function row(cells: readonly string[]): string {
  const escaped = cells.map((cell) => cell.replaceAll("|", String.raw`\|`));
  return `| ${escaped.join(" | ")} |`;
}

const script = process.argv[1];
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) {
  writeFileSync(join(packageRoot(), OPTIONS_PAGE), await optionsPage());
}
