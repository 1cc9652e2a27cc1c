/** The access to the dashboard: who may see it, and what they may do there. A browser signs in once, a script sends a password. */
import { createHash, timingSafeEqual } from "node:crypto";
import { RankmillError } from "../../src/core/errors.js";
import { option, wording } from "../../src/core/wording.js";

export interface AccessRules {
  /** Asked of everybody if it is set. */
  readonly password: string | undefined;
  /** Otherwise nothing but looking. */
  readonly allowActions: boolean;
}

/** A request, as far as it matters here; header names in lower case. */
export interface AccessRequest {
  readonly method: string;
  readonly header: (name: string) => string | undefined;
  /** Whether a browser has signed in. */
  readonly hasSession?: boolean;
}

export type Access =
  | { readonly status: "allowed" }
  | { readonly status: "refused"; readonly code: 401 | 403 | 405; readonly reason: string };

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);
const SAFE_METHODS = new Set(["GET", "HEAD"]);
/** Longer ones are no password of anybody's. */
const MAX_AUTHORIZATION_CHARS = 4_096;

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host.toLowerCase());
}

/** @throws RankmillError `invalid_option` if others than this host's users could come without a password */
export function checkExposure(host: string, password: string | undefined): void {
  if (isLoopback(host) || (password !== undefined && password !== "")) return;
  throw new RankmillError(
    "invalid_option",
    wording`${option("dashboardHost")}: ${host} can be reached by others: set RANKMILL_DASHBOARD_PASSWORD, or listen on 127.0.0.1`,
  );
}

export function judge(request: AccessRequest, { password, allowActions }: AccessRules): Access {
  if (password !== undefined && password !== "") {
    const authorization = request.header("authorization");
    if (request.hasSession !== true && !isBasic(authorization, password)) {
      return { status: "refused", code: 401, reason: "a password is needed" };
    }
  } else if (!isLoopback(hostname(request.header("host")))) {
    // A page elsewhere may have given this address a name of its own to read it through a browser.
    return { status: "refused", code: 403, reason: "ask for localhost or 127.0.0.1" };
  }
  if (SAFE_METHODS.has(request.method)) return { status: "allowed" };
  if (!allowActions) {
    return { status: "refused", code: 405, reason: "read only" };
  }
  // A browser sends the password along whoever's page it is that makes it ask.
  if (!isFromOwnPage(request)) {
    return { status: "refused", code: 403, reason: "the request comes from another site" };
  }
  return { status: "allowed" };
}

/** Any user name will do. */
function isBasic(authorization: string | undefined, password: string): boolean {
  if (authorization === undefined || authorization.length > MAX_AUTHORIZATION_CHARS) return false;
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1] ?? "";
  const given = Buffer.from(encoded, "base64").toString("utf8");
  const colon = given.indexOf(":");
  return isPassword(given.slice(colon + 1), password) && colon >= 0;
}

/** Digests have one length: neither it nor what they agree in shows in the time it takes. */
export function isPassword(given: string, password: string): boolean {
  return timingSafeEqual(digest(given), digest(password));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Whether a browser says that a page of this server sends it, or says nothing. */
export function isFromOwnPage({ header }: Pick<AccessRequest, "header">): boolean {
  const site = header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return false;
  const origin = header("origin");
  return origin === undefined || parseUrl(origin)?.host === header("host");
}

function hostname(host: string | undefined): string {
  return parseUrl(`http://${host ?? ""}`)?.hostname ?? "";
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Headers of every answer: nothing from elsewhere, in no frame, kept nowhere. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  // Without one, forms would come with "Origin: null".
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};
