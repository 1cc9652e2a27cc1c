/** The door of the dashboard: lets callers in, and slows down those who guess passwords. */
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context, MiddlewareHandler } from "hono";
import type { Logger } from "pino";
import { GuessLimit } from "../../src/platform/guess-limit.js";
import { sessionOf, type SignIn } from "../page/login-routes.js";
import { Sessions } from "../page/sessions.js";
import type { Links } from "../page/shell.js";
import { isPassword, judge, SECURITY_HEADERS, type AccessRules } from "./access.js";

export interface AdmissionOptions extends AccessRules {
  readonly logger: Logger;
  readonly links: Links;
  /** Paths that ask for no password: the way to the door. */
  readonly open: ReadonlySet<string>;
}

const ASK_AGAIN =
  '<!doctype html><html lang="en"><title>rankmill</title><meta http-equiv="refresh" content="0">';
const TOO_MANY = "too many wrong passwords: wait a little";

export class Admission {
  readonly sessions = new Sessions<true>(Date.now);
  readonly #options: AdmissionOptions;
  readonly #guesses = new GuessLimit(Date.now);

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get middleware(): MiddlewareHandler {
    return async (context, next) => {
      const refused = this.#judge(context);
      if (refused === undefined) await next();
      else context.res = refused;
      addHeaders(context);
    };
  }

  signIn(context: Context, given: string): SignIn<true> {
    const address = addressOf(context);
    const { password = "" } = this.#options;
    if (this.#guesses.pauseMs(address) > 0) {
      return { status: "refused", code: 429, reason: "Too many wrong passwords: wait a little." };
    }
    if (password !== "" && isPassword(given, password)) {
      this.#guesses.right(address);
      return { status: "in", holder: true };
    }
    this.#noteWrong(address);
    return { status: "refused", code: 401, reason: "This is not the password." };
  }

  #judge(context: Context): Response | undefined {
    const header = (name: string): string | undefined => context.req.header(name);
    const hasSession = sessionOf(context, this.sessions) !== undefined;
    const address = addressOf(context);
    const hasPassword = header("authorization") !== undefined;
    const pauseMs = hasPassword ? this.#guesses.pauseMs(address) : 0;
    if (pauseMs > 0) {
      context.header("Retry-After", String(Math.ceil(pauseMs / 1_000)));
      return context.text(`${TOO_MANY}\n`, 429);
    }
    const { method, path } = context.req;
    const isOpen = this.#options.open.has(path);
    const access = judge({ method, header, hasSession }, this.#options);
    if (access.status === "allowed") {
      if (hasPassword) this.#guesses.right(address);
      return undefined;
    }
    // A caller without a password must reach the form; one that asks by a strange host name must not.
    if (isOpen && access.code !== 403) return undefined;
    if (access.code !== 401) return context.text(`${access.reason}\n`, access.code);
    if (hasPassword) this.#noteWrong(address);
    else if (isNavigation(context)) return this.#toLogin(context);
    context.header("WWW-Authenticate", 'Basic realm="rankmill", charset="UTF-8"');
    return context.text(`${access.reason}\n`, 401);
  }

  #toLogin(context: Context): Response {
    // A browser that follows a link from elsewhere keeps the cookie back: it asks once more from here.
    if (context.req.header("sec-fetch-site") === "cross-site") return context.html(ASK_AGAIN);
    const { pathname, search } = new URL(context.req.url);
    const next = encodeURIComponent(`${pathname}${search}`);
    return context.redirect(this.#options.links.at(`/login?next=${next}`), 303);
  }

  #noteWrong(address: string): void {
    const wrong = this.#guesses.wrong(address);
    if (wrong === undefined) return;
    this.#options.logger.warn({ address, wrong }, "wrong dashboard password");
  }
}

function addHeaders(context: Context): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    // A page says itself which parts of it a browser may use; a file that never changes may be kept.
    if (!context.res.headers.has(name)) context.header(name, value);
  }
}

function addressOf(context: Context): string {
  return getConnInfo(context).remote.address ?? "";
}

/** A person who opens a page gets the form; a script, and a page's own request, the status. */
function isNavigation(context: Context): boolean {
  const { method } = context.req;
  return method === "GET" && (context.req.header("accept") ?? "").includes("text/html");
}
