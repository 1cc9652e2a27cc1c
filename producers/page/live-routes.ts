/** The streams of the pages: one per page that somebody looks at, a bounded number together. */
import type { Context, Hono } from "hono";
import type { HttpBindings } from "@hono/node-server";
import type { RunRow } from "../../src/app/runs/list-rows.js";
import { isOver } from "../../src/app/runs/list-rows.js";
import { liveEvents, type LiveParts } from "./live.js";
import { liveRow, newsView } from "./list-view.js";
import type { PageOptions } from "./routes.js";
import type { Links } from "./shell.js";
import { findExamples, type FoundExamples } from "./found-examples.js";
import { liveRun } from "./run-view.js";
import { PAGE_RUNS, type VisibleRuns } from "./viewer.js";

const RUN_INTERVAL_MS = 1_000;
const LIST_INTERVAL_MS = 2_000;
/** Failures and their examples change slowly, and cost more to find. */
const EXAMPLES_INTERVAL_MS = 10_000;

export function addLiveRoutes(app: Hono, options: PageOptions): void {
  const stream = (
    context: Context,
    take: () => Promise<LiveParts | undefined>,
    intervalMs: number,
  ): Response => {
    const { outgoing } = context.env as HttpBindings;
    const refused = options.takeStream(context, outgoing);
    if (refused !== undefined) return context.text(`${refused}\n`, 503);
    const gone = new AbortController();
    outgoing.once("close", () => gone.abort());
    const signal = AbortSignal.any([gone.signal, options.stopping]);
    context.header("Content-Type", "text/event-stream");
    context.header("X-Accel-Buffering", "no");
    const lines = liveEvents({ take, intervalMs, signal });
    return context.body(ReadableStream.from(encoded(lines)) as ReadableStream);
  };

  app.get("/events", (context) => {
    const ids = (context.req.queries("run") ?? []).slice(0, PAGE_RUNS);
    const isFirst = context.req.query("newest") !== undefined;
    const { runs } = options.viewerOf(context);
    const take = async (): Promise<LiveParts> => await listParts(runs, options.links, ids, isFirst);
    return stream(context, take, LIST_INTERVAL_MS);
  });
  app.get("/runs/:id/events", async (context) => {
    const viewer = options.viewerOf(context);
    const { runs, showsTexts } = viewer;
    const run = await runs.open(context.req.param("id"));
    let found: FoundExamples | undefined;
    let foundAtMs = -Infinity;
    const take = async (): Promise<LiveParts | undefined> => {
      const picture = await runs.picture(run);
      const isOver = picture.status.over;
      if (found === undefined || isOver || performance.now() - foundAtMs > EXAMPLES_INTERVAL_MS) {
        found = await findExamples(run, showsTexts);
        foundAtMs = performance.now();
      }
      return { parts: liveRun(picture, found, viewer), isOver };
    };
    return stream(context, take, RUN_INTERVAL_MS);
  });
}

async function listParts(
  runs: VisibleRuns,
  links: Links,
  ids: readonly string[],
  isFirst: boolean,
): Promise<LiveParts> {
  const rows = await runs.rows(ids);
  const parts = rows.flatMap(liveRow);
  const newest = isFirst ? await runs.newest() : undefined;
  if (newest !== undefined && !ids.includes(newest)) parts.push(["news", newsView(links).text]);
  // The first page waits for new runs.
  return { parts, isOver: !isFirst && rows.every(isDone) };
}

function isDone({ state }: RunRow): boolean {
  return isOver(state);
}

async function* encoded(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  for await (const line of lines) yield encoder.encode(line);
}
