/** A table for people: columns side by side, the head dim, the least important columns left out if room is short. */
import { paint, painted, type Painted } from "./painted.js";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Columns of the highest number are left out first; absent: it stays. */
  readonly leaveOut?: number;
}

const GAP = 2;

export function textTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): Painted[] {
  const measured = columns.map((column) => {
    const cells = rows.map(column.cell);
    return {
      ...column,
      cells,
      width: Math.max(...[column.head, ...cells].map((text) => text.length)),
    };
  });
  const shown = fitting(measured, width);
  const line = (textOf: (column: (typeof shown)[number]) => string): string =>
    shown
      .map((column) =>
        column.right === true
          ? textOf(column).padStart(column.width)
          : textOf(column).padEnd(column.width),
      )
      .join(" ".repeat(GAP))
      .trimEnd();
  return [
    paint(
      "dim",
      line(({ head }) => head),
    ),
    ...rows.map((_, i) => painted`${line(({ cells }) => cells[i] ?? "")}`),
  ];
}

function fitting<C extends { readonly width: number; readonly leaveOut?: number }>(
  columns: readonly C[],
  width: number,
): readonly C[] {
  const total = columns.reduce((sum, column) => sum + column.width + GAP, -GAP);
  const least = Math.max(...columns.map(({ leaveOut = 0 }) => leaveOut));
  if (total <= width || least === 0) return columns;
  return fitting(
    columns.filter(({ leaveOut }) => leaveOut !== least),
    width,
  );
}
