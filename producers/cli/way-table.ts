/** The ways to compute a model as a table for people, and as JSON. */
import { shareText } from "../../src/app/ways/choose-way.js";
import type { MeasuredWay } from "../../src/app/ways/compare-ways.js";
import { numbersName } from "../../src/core/forms/numbers.js";
import { runtimeOf } from "../../src/inference/runtime/registry.js";
import { formatBytes, formatDuration } from "../figures.js";
import type { WayRow } from "./measured-ways.js";
import { paint, painted, type Painted } from "./painted.js";
import { withFlags } from "./say-error.js";
import { textTable, type Column } from "./text-table.js";

/** Pairs whose time is told where no input says how many there are. */
const USUAL_PAIRS = 1_000_000;
const UNKNOWN = "–";
const WIDTH = 100;

/** The speed and the time of a way with an input. */
export interface WayTime {
  readonly pairsPerSecond: number;
  readonly seconds: number;
}

export type TimeOf = (way: MeasuredWay) => WayTime | undefined;

type OpenRow = Extract<WayRow, { readonly kind: "open" }>;

/** @param timeOf tells the time with an input; absent: that of a million pairs as long as were measured */
export function wayTable(rows: readonly WayRow[], timeOf?: TimeOf): readonly (string | Painted)[] {
  const open = rows.filter((row): row is OpenRow => row.kind === "open");
  const closed = rows.flatMap((row) => (row.kind === "closed" ? [row.way] : []));
  return [
    ...textTable(columns(timeOf), open, WIDTH),
    ...closed.map(({ numbers, runtime, why }) => {
      const name = nameOf(numbers, runtime);
      return painted`${paint("dim", `  ${name}: not here: ${withFlags(why)}`)}`;
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

function columns(timeOf: TimeOf | undefined): readonly Column<OpenRow>[] {
  const time = timeOf ?? usualTime;
  return [
    {
      head: "  precision",
      cell: ({ way, isChosen }) => `${isChosen ? "*" : " "} ${nameOf(way.model, way.runtime)}`,
    },
    {
      head: "pairs/s",
      cell: ({ way }) => time(way)?.pairsPerSecond.toFixed(1) ?? UNKNOWN,
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
      head: timeOf === undefined ? "a million pairs" : "time",
      cell: ({ way }) => formatDuration(time(way)?.seconds),
      right: true,
    },
    {
      head: "error against fp32",
      cell: ({ way: { error } }) => (error === undefined ? UNKNOWN : shareText(error)),
      right: true,
    },
  ];
}

function usualTime({ forecast }: MeasuredWay): WayTime | undefined {
  if (forecast === undefined) return undefined;
  const { pairsPerSecond } = forecast;
  return { pairsPerSecond, seconds: USUAL_PAIRS / pairsPerSecond };
}

/** The row as JSON; what is not known is null. */
export function wayAsJson(row: WayRow, timeOf: TimeOf = usualTime): object {
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
