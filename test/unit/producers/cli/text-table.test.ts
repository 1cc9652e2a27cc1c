import { describe, expect, it } from "vitest";
import { cutText } from "../../../../producers/cli/cut-text.js";
import { textTable, type Column } from "../../../../producers/cli/text-table.js";

interface Row {
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { head: "name", cell: ({ name }) => name },
  { head: "count", cell: ({ count }) => String(count), right: true, leaveOut: 2 },
  { head: "twice", cell: ({ count }) => String(2 * count), right: true, leaveOut: 1 },
];
const ROWS: readonly Row[] = [
  { name: "a", count: 7 },
  { name: "longer", count: 1234 },
];

function table(width: number): string[] {
  return textTable(COLUMNS, ROWS, width).map(String);
}

describe("a table for people", () => {
  it("columns are as wide as their widest cell, numbers to the right", () => {
    expect(table(80)).toEqual([
      "name    count  twice",
      "a           7     14",
      "longer   1234   2468",
    ]);
  });

  it("a narrow terminal loses the least important columns, and never the first", () => {
    expect(table(19)[0]).toBe("name    twice");
    expect(table(5)[0]).toBe("name");
  });
});

describe("a text that is cut", () => {
  it.each([
    ["short", 10, "short"],
    ["exactly", 7, "exactly"],
    ["too long", 7, "too lo…"],
    ["糖醋里脊", 8, "糖醋里脊"],
    ["糖醋里脊", 7, "糖醋里…"],
    ["", 0, ""],
  ])("%s in %i columns is %s", (text, columns, shown) => {
    expect(cutText(text, columns)).toBe(shown);
  });
});
