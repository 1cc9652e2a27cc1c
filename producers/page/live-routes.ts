/** The streams of the pages: one per page that somebody looks at, a bounded number together. */
import type { Context, Hono } from "hono";
import type { HttpBindings } from "@hono/node-server";
import type { RunRow } from "../../src/app/runs/list-rows.js";
import { isOver } from "../../src/app/runs/list-rows.js";
import { liveEvents, type LiveParts } from "./live.js";
import { liveRow, newsView } from "./list-view.js";
import type { PageOptions } from "./routes.js";
import { PAGE_RUNS } from "./run-pages.js";
import { liveRun, type FoundExamples } from "./run-view.js";

/** Streams at once; each asks Redis every few seconds. */
const MOST_STREAMS = 32;
const RUN_INTERVAL_MS = 1_000;
const LIST_INTERVAL_MS = 2_000;
/** Failures and their examples change slowly, and cost more to find. */
const EXAMPLES_INTERVAL_MS = 10_000;

export function addLiveRoutes(app: Hono, options: PageOptions): void {
  const { runs, showTexts } = options;
  let streams = 0;
  const stream = (
    context: Context,
    take: () => Promise<LiveParts | undefined>,
    intervalMs: number,
  ): Response => {
    if (streams >= MOST_STREAMS) {
      return context.text(
        `${MOST_STREAMS} pages are watched already: close one, and load this page again\n`,
        503,
      );
    }
    streams += 1;
    const gone = new AbortController();
    const { outgoing } = context.env as HttpBindings;
    outgoing.once("close", () => {
      streams -= 1;
      gone.abort();
    });
    const signal = AbortSignal.any([gone.signal, options.stopping]);
    context.header("Content-Type", "text/event-stream");
    context.header("X-Accel-Buffering", "no");
    const lines = liveEvents({ take, intervalMs, signal });
    return context.body(ReadableStream.from(encoded(lines)) as ReadableStream);
  };

  app.get("/events", (context) => {
    const ids = (context.req.queries("run") ?? []).slice(0, PAGE_RUNS);
    const isFirst = context.req.query("newest") !== undefined;
    return stream(context, async () => await listParts(options, ids, isFirst), LIST_INTERVAL_MS);
  });
  app.get("/runs/:id/events", async (context) => {
    const run = await runs.open(context.req.param("id"));
    let found: FoundExamples | undefined;
    let foundAtMs = -Infinity;
    const take = async (): Promise<LiveParts | undefined> => {
      const picture = await runs.picture(run);
      const isOver = picture.status.over;
      if (found === undefined || isOver || performance.now() - foundAtMs > EXAMPLES_INTERVAL_MS) {
        found = await runs.examples(run, showTexts);
        foundAtMs = performance.now();
      }
      return { parts: liveRun(picture, found, showTexts), isOver };
    };
    return stream(context, take, RUN_INTERVAL_MS);
  });
}

async function listParts(
  { runs, links }: PageOptions,
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
