/** The table of long texts: memory limit × tokenizer × script, and what came of each. */
import { writeFileSync } from "node:fs";
import { SCRIPTS } from "../../support/script-texts.js";

const MIB = 1024 * 1024;

export interface PoisonRow {
  readonly limitMib: number;
  readonly tokenizer: string;
  /** Most that the container's processes held, page cache included; 0 where the kernel does not say. */
  readonly peakBytes: number;
  /** Processes of the container that the kernel killed for want of memory. */
  readonly killed: number;
  readonly restarts: number;
  /** What came of the long text, by script: `scored, cut`, or why not. */
  readonly outcomes: ReadonlyMap<string, string>;
}

const HEAD = ["limit MiB", "tokenizer", ...SCRIPTS, "peak MiB", "processes killed", "restarts"];

export function poisonTable(rows: readonly PoisonRow[]): string {
  const lines = rows.map((row) => [
    String(row.limitMib),
    row.tokenizer,
    ...SCRIPTS.map((script) => row.outcomes.get(script) ?? "not asked"),
    row.peakBytes === 0 ? "" : String(Math.ceil(row.peakBytes / MIB)),
    String(row.killed),
    String(row.restarts),
  ]);
  const rule = HEAD.map(() => "---");
  return [HEAD, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** Prints the table, and writes it to the file that `RANKMILL_TEST_TABLE` names. */
export function keepPoisonTable(rows: readonly PoisonRow[]): void {
  const table = poisonTable(rows);
  process.stderr.write(`\n${table}`);
  const path = process.env["RANKMILL_TEST_TABLE"];
  if (path !== undefined) writeFileSync(path, table);
}
