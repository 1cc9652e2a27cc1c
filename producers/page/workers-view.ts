/** Workers and their lanes, with the memory that each holds. */
import type { WorkerAnnouncement } from "../../src/redis/worker-registry.js";
import { counted } from "../../src/core/counted.js";
import { formatBytes } from "../figures.js";
import { formatRate, timeView } from "./format.js";
import { markup, type Markup } from "./markup.js";

/**
 * @param model what a worker would have to serve
 * @param showsHosts whether workers are told one by one
 */
export function workersView(
  workers: readonly WorkerAnnouncement[],
  model: string,
  showsHosts: boolean,
): Markup {
  if (workers.length === 0) {
    return markup`<p class="empty">No worker serves this model at present: <code>rankmill worker --model ${model}</code> starts one.</p>`;
  }
  if (!showsHosts) {
    const lanes = workers.reduce((sum, worker) => sum + worker.lanes, 0);
    return markup`<p>${counted(workers.length, "worker")} with ${counted(lanes, "lane")}.</p>`;
  }
  return markup`<div class="wide" tabindex="0" role="region" aria-label="Workers of ${model}"><table class="workers"><thead><tr><th scope="col">Worker</th><th scope="col">Lanes</th><th scope="col" class="number">Jobs in hand</th><th scope="col" class="number">Pairs/s</th><th scope="col">Memory</th><th scope="col">Since</th></tr></thead>
<tbody>${workers.map(workerView)}</tbody></table></div>`;
}

function workerView(worker: WorkerAnnouncement): Markup {
  const { host, pid, held, pairsPerSecond, startedAt } = worker;
  return markup`<tr><th scope="row">${host} <em>${pid}</em></th><td data-label="lanes">${lanesView(worker)}</td><td class="number" data-label="jobs in hand">${held}</td><td class="number" data-label="pairs/s">${pairsPerSecond === undefined ? "–" : formatRate(pairsPerSecond)}</td><td data-label="memory">${memoryView(worker)}</td><td data-label="since">${timeView(startedAt)}</td></tr>`;
}

function lanesView({ lanes, laneFigures }: WorkerAnnouncement): Markup {
  if (laneFigures === undefined) return markup`${lanes}`;
  const shown = laneFigures.map(
    ({ state, bytes }) => `${state}${bytes > 0 ? ` ${formatBytes(bytes)}` : ""}`,
  );
  return markup`${lanes} <span class="quiet">(${shown.join(", ")})</span>`;
}

function memoryView({ memory, laneFigures = [] }: WorkerAnnouncement): Markup {
  if (memory === undefined) return markup`–`;
  const { workerBytes, sharedBytes, limitBytes } = memory;
  const ofLanes = laneFigures.reduce((sum, { bytes }) => sum + bytes, 0);
  const all = workerBytes + sharedBytes + ofLanes;
  const share = Math.min(100, (100 * all) / limitBytes).toFixed(1);
  const label = `${formatBytes(all)} of ${formatBytes(limitBytes)}`;
  return markup`${label} <span class="quiet">(worker ${formatBytes(workerBytes)}, ${counted(laneFigures.length, "lane")} ${formatBytes(ofLanes)}, model ${formatBytes(sharedBytes)})</span><svg class="meter" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${share}" height="1"/></svg>`;
}
