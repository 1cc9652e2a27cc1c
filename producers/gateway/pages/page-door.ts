/** The door of the pages: a browser signs in with an API key, which is examined again on each of its requests. */
import type { Context, MiddlewareHandler } from "hono";
import { TooManyError } from "../../../src/app/tenants/too-many.js";
import type { Caller } from "../../../src/core/caller.js";
import { isFromOwnPage } from "../../dashboard/access.js";
import { sessionOf, type SignIn } from "../../page/login-routes.js";
import { Sessions } from "../../page/sessions.js";
import type { Links } from "../../page/shell.js";
import type { Authenticate, Authentication } from "../authentication.js";
import type { GatewayEnv } from "../env.js";
import { remoteAddress } from "../remote-address.js";

export interface PageDoorOptions {
  readonly authenticate: Authenticate;
  readonly trustsProxy: boolean;
  readonly links: Links;
  /** Paths that ask for no key: the way to the door. */
  readonly open: ReadonlySet<string>;
}

const LACKS_RIGHT = "This key may not see runs: it lacks the right read or runs.";
const SAFE_METHODS = new Set(["GET", "HEAD"]);
/** A browser that follows a link from elsewhere keeps the cookie back: it asks once more from here. */
const ASK_AGAIN =
  '<!doctype html><html lang="en"><title>rankmill</title><meta http-equiv="refresh" content="0">';

/** Headers of the pages that are not those of the API. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  // Without one, forms would come with "Origin: null".
  "Referrer-Policy": "same-origin",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Opener-Policy": "same-origin",
};

export class PageDoor {
  /** Each holds the key that its browser signed in with, in memory alone. */
  readonly sessions = new Sessions<string>(Date.now);
  readonly #options: PageDoorOptions;

  constructor(options: PageDoorOptions) {
    this.#options = options;
  }

  get middleware(): MiddlewareHandler {
    return async (context: Context<GatewayEnv>, next) => {
      for (const [name, value] of Object.entries(PAGE_HEADERS)) context.header(name, value);
      if (!SAFE_METHODS.has(context.req.method) && !isOwn(context)) {
        return context.text("the request comes from another site\n", 403);
      }
      if (this.#options.open.has(context.req.path)) return await next();
      const session = sessionOf(context, this.sessions);
      const found = await this.#authenticate(context, session?.holder);
      if (found.status === "admitted") {
        if (!maySee(found.caller)) return context.text(`${LACKS_RIGHT}\n`, 403);
        context.set("caller", found.caller);
        return await next();
      }
      // The key was revoked, or has expired.
      if (found.code === 401) this.sessions.close(session?.token);
      return this.#refuse(context, found);
    };
  }

  async signIn(context: Context<GatewayEnv>, key: string): Promise<SignIn<string>> {
    const found = await this.#authenticate(context, key.trim());
    if (found.status === "refused") {
      const reason = found.code === 401 ? "This key is not known." : `${found.message}.`;
      return { status: "refused", code: found.code, reason };
    }
    if (maySee(found.caller)) return { status: "in", holder: key.trim() };
    return { status: "refused", code: 403, reason: LACKS_RIGHT };
  }

  /** @param key of the session; undefined: whatever the request's headers name */
  async #authenticate(
    context: Context<GatewayEnv>,
    key: string | undefined,
  ): Promise<Authentication> {
    const header = (name: string): string | undefined =>
      key === undefined ? context.req.header(name) : name === "x-api-key" ? key : undefined;
    const address = remoteAddress(context.env.incoming, this.#options.trustsProxy);
    try {
      return await this.#options.authenticate({ header, remoteAddress: address });
    } catch (error) {
      if (!(error instanceof TooManyError)) throw error;
      const { message, retryAfterSeconds } = error;
      return { status: "refused", code: 429, message, retryAfterSeconds };
    }
  }

  #refuse(
    context: Context<GatewayEnv>,
    { code, message, retryAfterSeconds }: Authentication & { readonly status: "refused" },
  ): Response {
    if (retryAfterSeconds !== undefined) context.header("Retry-After", String(retryAfterSeconds));
    if (code !== 401 || !isNavigation(context)) return context.text(`${message}\n`, code);
    if (context.req.header("sec-fetch-site") === "cross-site") return context.html(ASK_AGAIN);
    const { pathname, search } = new URL(context.req.url);
    const next = encodeURIComponent(`${pathname}${search}`);
    return context.redirect(this.#options.links.at(`/login?next=${next}`), 303);
  }
}

/** Whether a caller has a right to look at runs. */
function maySee({ scopes }: Caller): boolean {
  return scopes.has("admin") || scopes.has("runs") || scopes.has("read");
}

function isOwn({ req }: Context): boolean {
  return isFromOwnPage({ header: (name) => req.header(name) });
}

/** A person who opens a page gets the form; a script, and a page's own request, the status. */
function isNavigation({ req }: Context): boolean {
  return req.method === "GET" && (req.header("accept") ?? "").includes("text/html");
}
