/** The speed of a run over its time, as a drawing without script. */
import { speedsOf, type RunSeries } from "../../src/core/run-series.js";
import { formatDuration } from "../figures.js";
import { formatRate } from "./format.js";
import { markup, type Markup } from "./markup.js";

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 64;
const TOP = 10;
const BOTTOM = 30;
const GRID_LINES = 3;

export function speedView(series: RunSeries): Markup {
  const speeds = speedsOf(series);
  const [first, last] = [speeds[0], speeds.at(-1)];
  if (first === undefined || last === undefined) {
    return markup`<p class="empty">The speed is shown once the run has gone for some seconds.</p>`;
  }
  const most = niceAbove(Math.max(...speeds.map(({ pairsPerSecond }) => pairsPerSecond)));
  const spanMs = last.toMs - first.fromMs;
  const x = (ms: number): string =>
    (LEFT + ((ms - first.fromMs) / spanMs) * (WIDTH - LEFT)).toFixed(1);
  const y = (rate: number): string =>
    (TOP + (1 - rate / most) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  // A speed holds for the whole time between its two points: steps tell no more than is known.
  const steps = speeds.map(
    ({ fromMs, toMs, pairsPerSecond: rate }) => `${x(fromMs)},${y(rate)} ${x(toMs)},${y(rate)}`,
  );
  const line = steps.join(" ");
  const area = `${x(first.fromMs)},${y(0)} ${line} ${x(last.toMs)},${y(0)}`;
  const mean = meanOf(series);
  const label = `Pairs per second over ${formatDuration(spanMs / 1000)}: ${formatRate(mean)} on average, ${formatRate(last.pairsPerSecond)} last`;
  return markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
${gridView(most, y)}
<polygon class="area" points="${area}"/><polyline class="line" points="${line}"/>
<text x="${LEFT}" y="${HEIGHT - 6}">0 s</text><text x="${WIDTH}" y="${HEIGHT - 6}" text-anchor="end">${formatDuration(spanMs / 1000)}</text>
</svg><p class="quiet">${formatRate(mean)} pairs/s on average.</p>`;
}

function gridView(most: number, y: (rate: number) => string): Markup[] {
  return Array.from({ length: GRID_LINES + 1 }, (_, i) => {
    const rate = (most * i) / GRID_LINES;
    return markup`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y(rate)}" y2="${y(rate)}"/><text x="${LEFT - 8}" y="${Number(y(rate)) + 4}" text-anchor="end">${formatRate(rate)}</text>`;
  });
}

/** Over the time in which something moved: a run that is retried a day later was not slow. */
function meanOf(series: RunSeries): number {
  let pairs = 0;
  let seconds = 0;
  for (const { fromMs, toMs, pairsPerSecond } of speedsOf(series)) {
    if (pairsPerSecond === 0) continue;
    pairs += (pairsPerSecond * (toMs - fromMs)) / 1_000;
    seconds += (toMs - fromMs) / 1_000;
  }
  return seconds === 0 ? 0 : pairs / seconds;
}

/** The least of 3, 6, 9, 15, 30, 60, … that is not below: its thirds are round. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1) / 3));
  return [1, 2, 3, 5, 10].map((step) => 3 * step * power).find((one) => one >= value) ?? value;
}
