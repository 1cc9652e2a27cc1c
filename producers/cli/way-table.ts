/** The ways to compute a model as a table for people, and as JSON. */
import { shareText } from "../../src/app/ways/choose-way.js";
import { numbersName } from "../../src/core/forms/numbers.js";
import { runtimeOf } from "../../src/inference/runtime/registry.js";
import { formatBytes, formatDuration } from "../figures.js";
import type { WayRow } from "./measured-ways.js";
import { paint, type Painted } from "./painted.js";
import { withFlags } from "./say-error.js";
import { wrapped } from "./say-failure.js";
import { usualTimes, type TimeOf } from "./times-of-ways.js";
import { textTable, type Column } from "./text-table.js";

const UNKNOWN = "–";
const COLUMNS = 80;
const INDENT = "  ";

type OpenRow = Extract<WayRow, { readonly kind: "open" }>;

/** The ways of a model without an input. */
export function wayTable(rows: readonly WayRow[]): readonly (string | Painted)[] {
  return tableOf(rows, "million pairs", usualTimes(rows));
}

/** @param timeOf tells the time of an input */
export function wayTableOfInput(
  rows: readonly WayRow[],
  timeOf: TimeOf,
): readonly (string | Painted)[] {
  return tableOf(rows, "time", timeOf);
}

function tableOf(
  rows: readonly WayRow[],
  timeHead: string,
  timeOf: TimeOf,
): readonly (string | Painted)[] {
  const open = rows.filter((row): row is OpenRow => row.kind === "open");
  const closed = rows.flatMap((row) => (row.kind === "closed" ? [row.way] : []));
  return [
    ...textTable(columns(timeHead, timeOf), open, COLUMNS),
    ...closed.flatMap(({ numbers, runtime, why }) => {
      const text = `${nameOf(numbers, runtime)}: not here: ${withFlags(why)}`;
      const lines = wrapped(text, COLUMNS - 2 * INDENT.length);
      return lines.map((line, i) => paint("dim", INDENT.repeat(i === 0 ? 1 : 2) + line));
    }),
  ];
}

function nameOf(
  numbers: Parameters<typeof numbersName>[0],
  runtime: WayRow["way"]["runtime"],
): string {
  const kind = typeof runtime === "string" ? runtime : runtime.kind;
  return `${numbersName(numbers)} (${runtimeOf(kind).name})`;
}

function columns(timeHead: string, timeOf: TimeOf): readonly Column<OpenRow>[] {
  return [
    {
      head: "  precision",
      cell: ({ way, isChosen }) => `${isChosen ? "*" : " "} ${nameOf(way.model, way.runtime)}`,
    },
    {
      head: "pairs/s",
      cell: ({ way }) => timeOf(way)?.pairsPerSecond.toFixed(1) ?? UNKNOWN,
      right: true,
    },
    {
      head: "lanes",
      cell: ({ way: { forecast } }) =>
        forecast === undefined ? UNKNOWN : `${forecast.lanes} × ${forecast.threads}`,
      right: true,
    },
    {
      head: "memory",
      cell: ({ way: { forecast } }) =>
        forecast === undefined ? UNKNOWN : formatBytes(forecast.bytes),
      right: true,
    },
    {
      head: timeHead,
      cell: ({ way }) => formatDuration(timeOf(way)?.seconds),
      right: true,
    },
    {
      head: "score error",
      cell: ({ way: { error } }) => (error === undefined ? UNKNOWN : shareText(error)),
      right: true,
    },
  ];
}

/** The rows of a model without an input, as JSON. */
export function waysAsJson(rows: readonly WayRow[]): object[] {
  const timeOf = usualTimes(rows);
  return rows.map((row) => wayAsJson(row, timeOf));
}

/** The row as JSON; what is not known is null. */
export function wayAsJson(row: WayRow, timeOf: TimeOf): object {
  if (row.kind === "closed") {
    const { numbers, runtime, why } = row.way;
    return {
      precision: numbers.precision,
      form: numbers.form ?? null,
      runtime,
      problem: withFlags(why),
    };
  }
  const { way, isChosen } = row;
  const { model, runtime, error, forecast } = way;
  const time = timeOf(way);
  return {
    precision: model.precision,
    form: model.form ?? null,
    runtime: runtime.kind,
    chosen: isChosen,
    error: error ?? null,
    pairsPerSecond: time?.pairsPerSecond ?? null,
    seconds: time?.seconds ?? null,
    lanes: forecast?.lanes ?? null,
    threads: forecast?.threads ?? null,
    memoryBytes: forecast?.bytes ?? null,
    tokens: forecast?.length ?? null,
  };
}
