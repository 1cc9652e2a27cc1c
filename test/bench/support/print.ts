import process from "node:process";

/** The present step, on standard error: standard output holds results alone. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A GitHub table, aligned for a terminal; columns whose cells are all numbers stand to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const numeric = head.map((_, column) =>
    rows.every((row) => /^[\d.\s%–-]*$/.test(row[column] ?? "")),
  );
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? "";
      return numeric[column] === true ? cell.padStart(width) : cell.padEnd(width);
    });
    return `| ${padded.join(" | ")} |`;
  };
  print(line(head));
  const rule = widths.map(
    (width, column) => "-".repeat(width) + (numeric[column] === true ? ":" : "-"),
  );
  print(`|${rule.map((dashes) => `-${dashes}`).join("|")}|`);
  for (const row of rows) print(line(row));
  print("");
}
