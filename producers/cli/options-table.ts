/**
 * `npm run docs:options`: writes the README's table of options from the options themselves, between
 * two markers. A test fails where the README is behind.
 */
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { packageRoot } from "../../src/platform/package-root.js";
import { OPTIONS, type OptionSpec } from "./options.js";
import { createProgram } from "./program.js";

const START = "<!-- options:start -->";
const END = "<!-- options:end -->";

const SPECS: readonly OptionSpec[] = Object.values(OPTIONS);

/** The table as Markdown, one row an option of a command, in the order of `options.ts`. */
export function optionsTable(): string {
  const commands = commandsByFlag(createProgram());
  const rows = SPECS.flatMap((spec) => {
    const users = commands.get(spec.flags);
    if (users === undefined) return [];
    const env = spec.env === undefined ? "" : code(spec.env);
    return [[code(spec.flags), env, defaultOf(spec), meaningOf(spec), users.join(", ")]];
  });
  const head = ["option", "environment", "default", "meaning", "commands"];
  return [head, head.map(() => "---"), ...rows].map(row).join("\n");
}

/** Flags of options that no command takes: left over, or forgotten in a command. */
export function unusedOptions(): string[] {
  const commands = commandsByFlag(createProgram());
  return SPECS.map(({ flags }) => flags).filter((flags) => !commands.has(flags));
}

/** @throws Error where `readme` lacks the markers */
export function withOptionsTable(readme: string): string {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the README lacks ${START} and ${END}`);
  return `${readme.slice(0, start + START.length)}\n${optionsTable()}\n${readme.slice(end)}`;
}

/** Names of the commands that have an option, `models pull` in full, by the option's flags. */
function commandsByFlag(root: Command): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const visit = (command: Command, names: readonly string[]): void => {
    for (const { flags } of command.options) {
      found.set(flags, [...(found.get(flags) ?? []), names.join(" ")]);
    }
    for (const child of command.commands) visit(child, [...names, child.name()]);
  };
  visit(root, []);
  return found;
}

function defaultOf(spec: OptionSpec): string {
  if (spec.default === undefined) return spec.computedDefault ?? "";
  const unit = spec.unit === undefined ? "" : ` ${spec.unit}`;
  return `${code(String(spec.default))}${unit}`;
}

function meaningOf(spec: OptionSpec): string {
  const { choices, unit } = spec;
  // A bare `<name>` would be taken for HTML.
  const description = spec.description.replaceAll("<", String.raw`\<`);
  if (choices !== undefined) return `${description}; one of ${choices.map(code).join(", ")}`;
  const unsaid = unit !== undefined && spec.default === undefined;
  return unsaid ? `${description} [${unit}]` : description;
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
  const path = join(packageRoot(), "README.md");
  writeFileSync(path, withOptionsTable(readFileSync(path, "utf8")));
}
