/** A soak as an SVG picture: three panels over one axis of time. */
import { SERIES, type Sample, type Series } from "./sample.js";

const WIDTH = 860;
const PANEL_HEIGHT = 150;
const LEFT = 64;
const RIGHT = 130;
const GAP = 46;
const TOP = 34;
/** Between the baselines of two labels. */
const LABEL_HEIGHT = 14;
const COLOURS = ["#0b6e99", "#c4622d", "#5b8c2a", "#8a3fa0"];

interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

const PANELS: readonly Panel[] = [
  { title: "Memory, MB (Redis: used memory; others: resident)", series: SERIES.slice(0, 4) },
  { title: "Open descriptors of worker, lane and runner", series: SERIES.slice(4, 5) },
  { title: "Keys in Redis", series: SERIES.slice(5) },
];

export function pictureOf(samples: readonly Sample[], loadMinutes: number): string {
  const height = TOP + PANELS.length * (PANEL_HEIGHT + GAP);
  const last = Math.max(1, samples.at(-1)?.minute ?? 1);
  const x = (minute: number): number => LEFT + (minute / last) * (WIDTH - LEFT - RIGHT);
  const panels = PANELS.map((panel, at) => {
    return drawn(panel, samples, TOP + at * (PANEL_HEIGHT + GAP), x, loadMinutes);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>Memory, descriptors and keys of a fleet over ${Math.round(last)} minutes</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...panels,
    `<text x="${LEFT}" y="${height - 8}" fill="#555">minutes; grey: no load</text>`,
    `</svg>\n`,
  ].join("\n");
}

function drawn(
  { title, series }: Panel,
  samples: readonly Sample[],
  top: number,
  x: (minute: number) => number,
  loadMinutes: number,
): string {
  const bottom = top + PANEL_HEIGHT;
  const most = niceTop(Math.max(1, ...series.flatMap(({ of }) => samples.map(of))));
  const y = (value: number): number => bottom - (value / most) * PANEL_HEIGHT;
  const last = samples.at(-1)?.minute ?? 0;
  const ticks = [0, 0.5, 1].map((share) => share * most);
  const minutes = Array.from({ length: Math.floor(last / 5) + 1 }, (_, i) => i * 5);
  return [
    `<rect x="${round(x(loadMinutes))}" y="${top}" width="${round(x(last) - x(loadMinutes))}" height="${PANEL_HEIGHT}" fill="#ececec"/>`,
    `<text x="${LEFT}" y="${top - 8}" font-weight="bold" fill="#222">${title}</text>`,
    ...ticks.map(
      (value) =>
        `<line x1="${LEFT}" x2="${round(x(last))}" y1="${round(y(value))}" y2="${round(y(value))}" stroke="#ddd"/><text x="${LEFT - 6}" y="${round(y(value) + 4)}" text-anchor="end" fill="#555">${value.toLocaleString("en")}</text>`,
    ),
    ...minutes.map(
      (minute) =>
        `<text x="${round(x(minute))}" y="${bottom + 14}" text-anchor="middle" fill="#555">${minute}</text>`,
    ),
    ...series.map((one, at) => lineOf(one, samples, x, y, colourOf(at))),
    ...labelsOf(series, samples, y, { top, bottom, left: x(last) + 6 }),
  ].join("\n");
}

/** The name and last value of each line beside its end, moved apart where ends lie close together. */
function labelsOf(
  series: readonly Series[],
  samples: readonly Sample[],
  y: (value: number) => number,
  { top, bottom, left }: { readonly top: number; readonly bottom: number; readonly left: number },
): string[] {
  const last = samples.at(-1);
  if (last === undefined) return [];
  const labels = series
    .map(({ title, of }, at) => ({ text: `${title} ${of(last).toFixed(0)}`, at, y: y(of(last)) }))
    .toSorted((a, b) => a.y - b.y);
  const places = apart(
    labels.map((label) => label.y),
    top,
    bottom,
  );
  return labels.map(({ text, at }, i) => {
    const baseline = round((places[i] ?? bottom) + 4);
    return `<text x="${round(left)}" y="${baseline}" fill="${colourOf(at)}">${text}</text>`;
  });
}

/** Heights from top to bottom, at least one line of text from each other, none below `bottom` or far above `top`. */
function apart(heights: readonly number[], top: number, bottom: number): number[] {
  const down: number[] = [];
  for (const height of heights) {
    down.push(Math.max(height, (down.at(-1) ?? top - LABEL_HEIGHT) + LABEL_HEIGHT));
  }
  const up: number[] = [];
  for (const height of down.toReversed()) {
    up.push(Math.min(height, (up.at(-1) ?? bottom + LABEL_HEIGHT) - LABEL_HEIGHT));
  }
  return up.toReversed();
}

function colourOf(at: number): string {
  return COLOURS[at % COLOURS.length] ?? "#222";
}

function lineOf(
  { of }: Series,
  samples: readonly Sample[],
  x: (minute: number) => number,
  y: (value: number) => number,
  colour: string,
): string {
  const points = samples.map((one) => `${round(x(one.minute))},${round(y(of(one)))}`).join(" ");
  return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

function round(value: number): string {
  return value.toFixed(1);
}
