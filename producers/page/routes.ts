/** The routes of the pages. Callers are let in, or refused, before them. */
import { numbersName } from "../../src/core/forms/numbers.js";
import type { ServerResponse } from "node:http";
import type { Context, Hono } from "hono";
import type { Logger } from "pino";
import { RankmillError, describeError } from "../../src/core/errors.js";
import { counted } from "../../src/core/counted.js";
import { addActionRoutes } from "./action-routes.js";
import { messageView } from "./action-view.js";
import { addLiveRoutes } from "./live-routes.js";
import { listView } from "./list-view.js";
import { markup, type Markup } from "./markup.js";
import { findExamples } from "./found-examples.js";
import { runView } from "./run-view.js";
import { type Links, PAGE_FILES, PAGE_POLICY, pageOf, type Frame } from "./shell.js";
import type { ServedBy } from "./served-by.js";
import type { Viewer } from "./viewer.js";
import { workersView } from "./workers-view.js";

export interface PageOptions {
  readonly viewerOf: (context: Context) => Viewer;
  readonly links: Links;
  /** The address of Bull Board; undefined: there is none. */
  readonly queues: string | undefined;
  /** Takes one of a bounded number of streams until its answer has ended. @returns why it cannot */
  readonly takeStream: (context: Context, outgoing: ServerResponse) => string | undefined;
  /** Aborts once the server closes: streams end. */
  readonly stopping: AbortSignal;
  readonly logger: Logger;
  /** The token that the caller's forms must carry. */
  readonly formToken: (context: Context) => string;
  readonly isFormToken: (context: Context, given: unknown) => boolean;
  /** Whether the caller has a session to end. */
  readonly hasSession: (context: Context) => boolean;
}

/** Sends a page; the policy goes with it. */
export type SendPage = (
  context: Context,
  page: Pick<Frame, "title" | "body"> & { readonly section?: "runs" | "workers" },
  status?: 200 | 400 | 403 | 404 | 409 | 500 | 503,
) => Response | Promise<Response>;

export function addPageRoutes(app: Hono, options: PageOptions): void {
  const { viewerOf, links, queues } = options;
  const send: SendPage = (context, page, status = 200) => {
    context.header("Content-Security-Policy", PAGE_POLICY);
    const signOut = options.hasSession(context) ? options.formToken(context) : undefined;
    const { showsHosts: hasWorkers } = viewerOf(context);
    return context.html(pageOf({ links, queues, hasWorkers, signOut, ...page }), status);
  };
  app.onError((error, context) => sendError(context, error, options, send));
  addFiles(app, links);
  app.get("/", async (context) => {
    const after = context.req.query("after");
    const { runs, ways } = viewerOf(context);
    const { rows, hasMore } = await runs.page(after);
    const body = listView({ rows, hasMore, isFirst: after === undefined }, links, ways);
    return await send(context, { title: "Runs", section: "runs", body });
  });
  app.get("/workers", async (context, next) => {
    const { showsHosts, workers } = viewerOf(context);
    if (!showsHosts) return await next();
    const body = workersPage(await workers());
    return await send(context, { title: "Workers", section: "workers", body });
  });
  app.get("/runs/:id", async (context) => await runPage(context, options, send));
  addLiveRoutes(app, options);
  addActionRoutes(app, options, send);
}

async function runPage(
  context: Context,
  { viewerOf, links }: PageOptions,
  send: SendPage,
): Promise<Response> {
  const viewer = viewerOf(context);
  const { runs, showsTexts } = viewer;
  const run = await runs.open(context.req.param("id") ?? "");
  const [picture, found, redisBytes] = await Promise.all([
    runs.picture(run),
    findExamples(run, showsTexts),
    run.memoryBytes(),
  ]);
  const page = { id: run.id, picture, found, redisBytes, viewer };
  const body = runView({ ...page, told: toldBy(context.req.query()) }, links);
  return await send(context, { title: run.id, section: "runs", body });
}

/** Words about an action come from here alone, never from the address. */
function toldBy({ did, records }: Readonly<Record<string, string>>): string | undefined {
  if (!/^\d{1,15}$/.test(records ?? "")) return undefined;
  const count = counted(Number(records), "record");
  if (did === "retry") return `Tried again: ${count}.`;
  if (did === "cancel") return `Stopped: ${count}.`;
  return undefined;
}

function workersPage(models: readonly ServedBy[]): Markup {
  const title = markup`<div class="top"><h1>Workers</h1></div>`;
  if (models.length === 0) {
    return markup`${title}<p class="empty">No worker has served a model here yet. <code>rankmill worker --model NAME</code> starts one.</p>`;
  }
  return markup`${title}${models.map(
    ({ model, workers }) =>
      markup`<section class="panel"><h2>${model.name} <span class="quiet">${numbersName(model)}</span></h2>${workersView(workers, model.name, true)}</section>`,
  )}`;
}

function addFiles(app: Hono, links: Links): void {
  for (const file of Object.values(PAGE_FILES)) {
    app.get(links.file(file).slice(links.base.length), (context) =>
      context.body(file.text, 200, {
        "Content-Type": file.type,
        "Cache-Control": "private, max-age=31536000, immutable",
      }),
    );
  }
}

/** Tells a person's mistake on a page, and a fault of ours in the log. */
async function sendError(
  context: Context,
  error: unknown,
  { links, logger }: PageOptions,
  send: SendPage,
): Promise<Response> {
  const known = error instanceof RankmillError ? error : undefined;
  if (
    known?.code === "run_not_found" ||
    (known?.code === "invalid_option" && known.field === "runId")
  ) {
    const body = messageView("There is no such run", known.message, links);
    return await send(context, { title: "No such run", body }, 404);
  }
  if (known?.code === "conflict") {
    const body = messageView("Not now", known.message, links);
    return await send(context, { title: "Not now", body }, 409);
  }
  if (known?.code === "redis_unavailable") {
    const body = messageView("Redis is away", `${known.message}: load the page again.`, links);
    return await send(context, { title: "Redis is away", body }, 503);
  }
  logger.warn({ err: error }, "a page could not be made");
  const message = known === undefined ? "The log says why." : describeError(known).message;
  const body = messageView("Something went wrong", message, links);
  return await send(context, { title: "Something went wrong", body }, 500);
}
