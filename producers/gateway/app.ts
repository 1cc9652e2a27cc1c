import { randomUUID } from "node:crypto";
import { Hono, type MiddlewareHandler } from "hono";
import { LOCAL_CALLER, type Scope } from "../../src/core/caller.js";
import { accessLog, type AccessLogOptions } from "./access-log.js";
import { KEYLESS_PATHS, type Authenticate } from "./authentication.js";
import { addPages, type PagesOptions } from "./pages/add-pages.js";
import { isPagesPath } from "./pages/pages-path.js";
import type { GatewayApp, GatewayEnv, GatewayParts, RouteModule } from "./env.js";
import { methodsOfPath } from "./methods-of-path.js";
import { remoteAddress } from "./remote-address.js";
import { Refusal } from "./refusal.js";
import { traceRequests, type TraceRequest } from "./trace-requests.js";
import { readUnreadBodies } from "./unread-body.js";
import { writeProblem } from "./write-problem.js";

/** Ids of others that are taken over: they go into logs and headers. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** Headers of every answer: kept nowhere, shown in no frame. No header allows pages of other sites. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

export interface AppOptions extends AccessLogOptions {
  readonly authenticate: Authenticate;
  /** Whether `X-Forwarded-For` comes from a proxy of the operator's own. */
  readonly trustsProxy: boolean;
  /** Undefined if nobody asks for traces. */
  readonly trace: TraceRequest | undefined;
  /** Undefined: no pages for runs. */
  readonly pages?: PagesOptions | undefined;
  /** Whether a request may have this `Host`. */
  readonly isHostAllowed: (host: string | undefined) => boolean;
}

/** Puts the gateway together from its middleware and the groups of its routes. */
export function makeApp(
  parts: GatewayParts,
  modules: readonly RouteModule[],
  options: AppOptions,
): GatewayApp {
  const app = new Hono<GatewayEnv>();
  app.use(accessLog(parts.logger, options));
  app.use(readUnreadBodies());
  app.use(identify());
  if (options.trace !== undefined) app.use(traceRequests(options.trace));
  app.use(checkHost(options));
  app.use(admit(options));
  for (const add of modules) add(app, parts);
  if (options.pages !== undefined) addPages(app, parts, { ...options.pages, ...options });
  app.notFound((context) => {
    const { method, path } = context.req;
    const message = `there is no ${method} ${path.slice(0, 200)}`;
    // Which forms a page has concerns its own links alone.
    const others = isPagesPath(path) ? "" : methodsOfPath(app, path).join(", ");
    if (others === "") return writeProblem(context, new Refusal(404, "not_found", message));
    const allowed = `${message}: this path takes ${others}`;
    return writeProblem(context, new Refusal(405, "not_found", allowed, { Allow: others }));
  });
  app.onError((error, context) => writeProblem(context, error));
  return app;
}

/** Gives each request an id, and each answer its headers. */
function identify(): MiddlewareHandler<GatewayEnv> {
  return async (context, next) => {
    const given = context.req.header("x-request-id") ?? "";
    const requestId = REQUEST_ID.test(given) ? given : randomUUID();
    context.set("requestId", requestId);
    context.set("facts", {});
    await next();
    context.header("X-Request-Id", requestId);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      // A page says itself which parts of it a browser may use.
      if (!context.res.headers.has(name)) context.header(name, value);
    }
  };
}

/** A page elsewhere may have given this address a name of its own, to read it through a browser. */
function checkHost({ isHostAllowed }: AppOptions): MiddlewareHandler<GatewayEnv> {
  return async (context, next) => {
    if (isHostAllowed(context.req.header("host"))) return await next();
    const message = "this name is not the gateway's: --allowed-host adds one";
    return writeProblem(context, new Refusal(403, "access_denied", message));
  };
}

/** Finds out who asks, and lets in who may come in. */
function admit({ authenticate, trustsProxy, pages }: AppOptions): MiddlewareHandler<GatewayEnv> {
  return async (context, next) => {
    const { path } = context.req;
    if (KEYLESS_PATHS.has(path) || (pages !== undefined && isPagesPath(path))) {
      context.set("caller", { ...LOCAL_CALLER, scopes: new Set<Scope>() });
      return await next();
    }
    const authentication = await authenticate({
      header: (name) => context.req.header(name),
      remoteAddress: remoteAddress(context.env.incoming, trustsProxy),
    });
    if (authentication.status === "admitted") {
      context.set("caller", authentication.caller);
      return await next();
    }
    const { code, message, retryAfterSeconds } = authentication;
    return writeProblem(
      context,
      new Refusal(code, "access_denied", message, {
        ...(code === 401 && { "WWW-Authenticate": "Bearer" }),
        ...(retryAfterSeconds !== undefined && { "Retry-After": String(retryAfterSeconds) }),
      }),
    );
  };
}
