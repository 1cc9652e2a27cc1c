/** Actions on runs: a page that asks, and a form that does. Whoever may not act gets neither. */
import type { Context, Hono } from "hono";
import { confirmView, isActionName, messageView, RUN_ACTIONS } from "./action-view.js";
import type { PageOptions, SendPage } from "./routes.js";

export function addActionRoutes(app: Hono, options: PageOptions, send: SendPage): void {
  app.get("/runs/:id/:action", async (context, next) => {
    const { id, action } = context.req.param();
    if (!isActionName(action)) return await next();
    const { runs, mayAct } = options.viewerOf(context);
    if (!mayAct) return await sendLooksOnly(context, options, send);
    const run = await runs.open(id);
    const token = options.formToken(context);
    const body = confirmView(run.id, action, await run.status(), token, options.links);
    return await send(context, { title: `${RUN_ACTIONS[action].title} ${run.id}`, body });
  });
  app.post("/runs/:id/:action", async (context, next) => {
    const { id, action } = context.req.param();
    if (!isActionName(action)) return await next();
    if (!options.viewerOf(context).mayAct) return await sendLooksOnly(context, options, send);
    return await act(context, options, send, id, action);
  });
}

function sendLooksOnly(
  context: Context,
  { links }: PageOptions,
  send: SendPage,
): Response | Promise<Response> {
  const body = messageView("Nothing was done", "You may look here, and change nothing.", links);
  return send(context, { title: "Nothing was done", body }, 403);
}

async function act(
  context: Context,
  { viewerOf, links, logger, isFormToken }: PageOptions,
  send: SendPage,
  id: string,
  action: keyof typeof RUN_ACTIONS,
): Promise<Response> {
  const { token } = await context.req.parseBody();
  if (!isFormToken(context, token)) {
    const text =
      "The form is too old, or comes from another page: go back and load the page again.";
    const body = messageView("Nothing was done", text, links);
    return await send(context, { title: "Nothing was done", body }, 403);
  }
  const run = await viewerOf(context).runs.open(id);
  const records = await RUN_ACTIONS[action].act(run);
  logger.info({ run: run.id, action, records }, "a viewer acted on a run");
  if (action === "purge") return context.redirect(links.list(), 303);
  return context.redirect(links.run(run.id, `?did=${action}&records=${records}`), 303);
}
