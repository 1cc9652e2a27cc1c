/** The spread of a run's scores, as a drawing without script. */
import type { ScoreHistogram } from "../../src/core/score-histogram.js";
import { formatCount } from "../figures.js";
import { formatScore } from "./format.js";
import { markup, type Markup } from "./markup.js";

const WIDTH = 420;
const HEIGHT = 200;
const TOP = 10;
const BOTTOM = 30;

export function histogramView({ log2Width, first, counts }: ScoreHistogram): Markup {
  const scores = counts.reduce((sum, count) => sum + count, 0);
  if (scores === 0) return markup`<p class="empty">No document has a score yet.</p>`;
  const width = 2 ** log2Width;
  const bound = (place: number): string => formatScore((first + place) * width);
  // One score of 1 has a bucket of its own: a few columns more than one never fill the drawing.
  const places = Math.max(counts.length, 8);
  const most = Math.max(...counts);
  const column = WIDTH / places;
  const columns = counts.map((count, place) => {
    const height = count === 0 ? 0 : Math.max(1, (count / most) * (HEIGHT - TOP - BOTTOM));
    const title = `${bound(place)} to ${bound(place + 1)}: ${formatCount(count)}`;
    return markup`<rect class="column" x="${(place * column + 0.5).toFixed(1)}" y="${(HEIGHT - BOTTOM - height).toFixed(1)}" width="${(column - 1).toFixed(1)}" height="${height.toFixed(1)}"><title>${title}</title></rect>`;
  });
  const fullest = counts.indexOf(most);
  const label = `Scores of ${formatCount(scores)} documents from ${bound(0)} to ${bound(counts.length)}, most of them from ${bound(fullest)} to ${bound(fullest + 1)}`;
  const base = HEIGHT - BOTTOM;
  const end = (counts.length * column).toFixed(1);
  return markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
<line class="grid" x1="0" x2="${WIDTH}" y1="${base}" y2="${base}"/>${columns}
<text x="0" y="${HEIGHT - 6}">${bound(0)}</text><text x="${end}" y="${HEIGHT - 6}" text-anchor="end">${bound(counts.length)}</text>
</svg><p class="quiet">${formatCount(scores)} scores, most of them from ${bound(fullest)} to ${bound(fullest + 1)}.</p>`;
}
