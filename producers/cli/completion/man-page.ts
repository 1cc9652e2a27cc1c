/** `npm run docs:man`: writes the manual page from the commands and options themselves. A test fails if it is behind. */
import { realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { packageRoot, packageVersion } from "../../../src/platform/package-root.js";
import { ALL_GROUPS } from "../options/all-options.js";
import { describeOption } from "../options/describe-option.js";
import { createProgram } from "../program.js";
import { outline, type OutlinedCommand } from "./outline.js";

export const MAN_PAGE = "docs/rankmill.1";

const EXIT_CODES: readonly (readonly [string, string])[] = [
  ["0", "everything that was asked for is done"],
  ["1", "any other error; health: the worker is not healthy; doctor: problems"],
  ["2", "arguments, input or model cannot be used; nothing was done"],
  [
    "3",
    "some records failed or were cancelled, or some documents could not be scored; models verify: some scores differ, or a smoke test fails",
  ],
  ["4", "results: some records are not over yet"],
  ["5", "Redis cannot be reached or used"],
  ["6", "doctor: warnings, and no problem"],
  ["130", "interrupted by Ctrl-C or SIGTERM; the same command goes on"],
];

/** The whole page, as roff. */
export async function manPage(): Promise<string> {
  const commands = outline(await createProgram(), []);
  return [
    `.\\" npm run docs:man writes this page from producers/cli.`,
    `.TH RANKMILL 1 "" "rankmill ${packageVersion()}" "User Commands"`,
    // Names of options are neither parted nor spread over the line.
    ".nh",
    ".ad l",
    ".SH NAME",
    String.raw`rankmill \- bulk cross-encoder reranking as durable jobs on Redis`,
    ".SH SYNOPSIS",
    String.raw`.B rankmill`,
    ".I COMMAND",
    "[options]",
    ".SH DESCRIPTION",
    roff(
      `Reads queries with their documents, scores each pair with a cross-encoder and writes each query's documents best first. "rankmill run FILE --model builtin-bm25" ranks a file in one command.`,
    ),
    ".SH COMMANDS",
    ...commands.filter(({ name }) => name !== "").flatMap(command),
    ".SH OPTIONS",
    ...ALL_GROUPS.flatMap(({ title, options }) => [
      `.SS ${roff(title)}`,
      ...Object.values(options).flatMap((spec) => [
        ".TP",
        `\\fB${roff(spec.flags)}\\fR`,
        roff(describeOption(spec)) + (spec.env === undefined ? "" : `. Environment: ${spec.env}`),
      ]),
    ]),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(([code, meaning]) => [".TP", code, roff(meaning)]),
    ".SH SEE ALSO",
    roff("docs/ in the package: commands.md, options.md, files.md, gateway.md, operations.md"),
    "",
  ].join("\n");
}

function command({ name, usage, description, options, children }: OutlinedCommand): string[] {
  const flags = options.flatMap(({ names }) => names.filter((one) => one.startsWith("--")));
  return [
    `.SS rankmill ${roff(`${name} ${usage}`.trim())}`,
    `${roff(description)}.`,
    ...(children.length > 0 ? [] : [".RS", roff(flags.join(" ")), ".RE"]),
  ];
}

/** Text that roff takes as it is. */
function roff(text: string): string {
  return text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replace(/^(?=[.'])/, String.raw`\&`);
}

const script = process.argv[1];
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) {
  writeFileSync(join(packageRoot(), MAN_PAGE), await manPage());
}
