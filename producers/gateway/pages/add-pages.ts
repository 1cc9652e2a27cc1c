/** The pages for runs at the gateway: each key sees its own. */
import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { TooManyError } from "../../../src/app/tenants/too-many.js";
import { isFromOwnPage } from "../../dashboard/access.js";
import { addLoginRoutes, sessionOf } from "../../page/login-routes.js";
import { addPageRoutes, type PageOptions } from "../../page/routes.js";
import { listServedBy } from "../../page/served-by.js";
import { Links, PAGE_FILES } from "../../page/shell.js";
import type { Viewer } from "../../page/viewer.js";
import type { GatewayApp, GatewayEnv, GatewayParts } from "../env.js";
import { Refusal } from "../refusal.js";
import { askRedis } from "../routes/redis-answers.js";
import { CallerRuns } from "./caller-runs.js";
import { PageDoor, type PageDoorOptions } from "./page-door.js";
import { PAGES_PATH } from "./pages-path.js";

export interface PagesOptions {
  /** Whether queries, documents and inputs are shown. */
  readonly showTexts: boolean;
  /** Aborts as soon as the server is told to stop: a page that is watched holds it up no longer. */
  readonly closing: AbortSignal;
}

/** Forms hold a key and a token, no more. */
const MAX_BODY_BYTES = 16_384;

export function addPages(
  app: GatewayApp,
  parts: GatewayParts,
  {
    showTexts,
    closing,
    ...access
  }: PagesOptions & Pick<PageDoorOptions, "authenticate" | "trustsProxy">,
): void {
  const links = new Links(PAGES_PATH);
  const files = Object.values(PAGE_FILES).map((file) => links.file(file));
  const open = new Set([links.at("/login"), links.at("/logout"), ...files]);
  const door = new PageDoor({ ...access, links, open });
  const { sessions } = door;
  const pages = new Hono();
  pages.use(bodyLimit({ maxSize: MAX_BODY_BYTES }), door.middleware, askRedis(parts));
  addLoginRoutes(pages, {
    links,
    sessions,
    secret: "API key",
    isFromOwnPage: ({ req }) => isFromOwnPage({ header: (name) => req.header(name) }),
    signIn: async (context, key) => await door.signIn(context, key),
  });
  addPageRoutes(pages, {
    viewerOf: viewerOf(parts, showTexts),
    links,
    queues: undefined,
    takeStream: takeStream(parts),
    stopping: closing,
    logger: parts.logger,
    hasSession: (context) => sessionOf(context, sessions) !== undefined,
    formToken: (context) => sessions.formToken(sessionOf(context, sessions)?.token),
    isFormToken: (context, given) =>
      sessions.isFormToken(given, sessionOf(context, sessions)?.token),
  });
  app.get(`${PAGES_PATH}/`, (context) => context.redirect(links.root, 308));
  app.route(PAGES_PATH, pages);
}

function viewerOf(
  { tenants, redis }: GatewayParts,
  showsTexts: boolean,
): (context: Context<GatewayEnv>) => Viewer {
  return (context) => {
    const caller = context.get("caller");
    const isAdmin = caller.scopes.has("admin");
    return {
      runs: new CallerRuns(tenants.runs, caller),
      showsTexts,
      showsHosts: isAdmin,
      mayAct: isAdmin || caller.scopes.has("runs"),
      ways: { submit: "POST /v1/runs", failures: (run) => `GET /v1/runs/${run}/failures` },
      workers: async () => await listServedBy(redis),
    };
  };
}

function takeStream({ slots }: GatewayParts): PageOptions["takeStream"] {
  return (context: Context<GatewayEnv>, outgoing) => {
    try {
      slots.take(context.get("caller").keyId, outgoing);
      return undefined;
    } catch (error) {
      if (error instanceof TooManyError || error instanceof Refusal) return error.message;
      throw error;
    }
  };
}
