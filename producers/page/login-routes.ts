/** Signing in with a browser: a form, a cookie, and a way out. */
import type { Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { loginView } from "./action-view.js";
import { SESSION_SECONDS, type Sessions } from "./sessions.js";
import { type Links, PAGE_POLICY, pageOf } from "./shell.js";

const COOKIE = "rankmill-session";
/** A longer text is nobody's password. */
const MOST_SECRET_CHARS = 4_096;

/** The outcome of a try to sign in. */
export type SignIn<T> =
  | { readonly status: "in"; readonly holder: T }
  | { readonly status: "refused"; readonly reason: string; readonly code: 401 | 403 | 429 };

export interface LoginOptions<T> {
  readonly links: Links;
  readonly sessions: Sessions<T>;
  /** The name of what is asked for. */
  readonly secret: string;
  /** Whether the request comes from a page of this server. */
  readonly isFromOwnPage: (context: Context) => boolean;
  readonly signIn: (context: Context, secret: string) => Promise<SignIn<T>> | SignIn<T>;
}

/** The session of a browser, if it has one that counts. */
export function sessionOf<T>(
  context: Context,
  sessions: Sessions<T>,
): { readonly token: string; readonly holder: T } | undefined {
  const token = getCookie(context, COOKIE);
  const holder = sessions.find(token);
  return token === undefined || holder === undefined ? undefined : { token, holder };
}

export function addLoginRoutes<T>(app: Hono, options: LoginOptions<T>): void {
  const { links, sessions, secret } = options;
  const form = (context: Context, next: string, problem?: string): string => {
    context.header("Content-Security-Policy", PAGE_POLICY);
    const body = loginView(links, { next, problem, secret });
    const nothing = { hasWorkers: false, queues: undefined, signOut: undefined };
    return pageOf({ links, title: "Sign in", ...nothing, body });
  };
  app.get("/login", (context) => context.html(form(context, context.req.query("next") ?? "")));
  app.post("/login", async (context) => {
    const { secret: given, next } = await context.req.parseBody();
    const wanted = typeof next === "string" ? next : "";
    if (!options.isFromOwnPage(context)) {
      return context.html(form(context, wanted, "The form comes from another site."), 403);
    }
    const text = typeof given === "string" ? given.slice(0, MOST_SECRET_CHARS) : "";
    const outcome = await options.signIn(context, text);
    if (outcome.status === "refused") {
      return context.html(form(context, wanted, outcome.reason), outcome.code);
    }
    setCookie(context, COOKIE, sessions.open(outcome.holder), {
      path: links.root,
      httpOnly: true,
      sameSite: "Strict",
      secure: isHttps(context),
      maxAge: SESSION_SECONDS,
    });
    return context.redirect(ownPath(wanted, links), 303);
  });
  app.post("/logout", async (context) => {
    const { token } = await context.req.parseBody();
    const session = sessionOf(context, sessions);
    if (session !== undefined && sessions.isFormToken(token, session.token)) {
      sessions.close(session.token);
      deleteCookie(context, COOKIE, { path: links.root });
    }
    return context.redirect(links.at("/login"), 303);
  });
}

/** A browser says so itself, or a proxy before this server; whoever pretends it spoils their own cookie. */
function isHttps(context: Context): boolean {
  const forwarded = context.req.header("x-forwarded-proto")?.split(",")[0]?.trim();
  const origin = context.req.header("origin");
  return forwarded === "https" || origin?.startsWith("https://") === true;
}

/** A path of this server's pages; anything else is the list of runs. */
export function ownPath(path: string, links: Links): string {
  const { base, root } = links;
  const isBelow = path === root || path.startsWith(`${root}?`) || path.startsWith(`${base}/`);
  const isOwn = isBelow && /^\/(?![/\\])[\x21-\x7e]*$/.test(path);
  return isOwn && !path.includes("\\") ? path : root;
}
