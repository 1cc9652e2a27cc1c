import type { GatewayApp } from "./env.js";

/** Middleware is for all methods, and no route of its own. */
const EVERY_METHOD = "ALL";

/** The methods with which a path may be asked for; none if no route has the path. */
export function methodsOfPath(app: GatewayApp, path: string): readonly string[] {
  const asked = path.split("/");
  const methods = app.routes
    .filter((route) => route.method !== EVERY_METHOD && isPathOf(asked, route.path))
    .map(({ method }) => method);
  return [...new Set(methods)].sort();
}

function isPathOf(asked: readonly string[], route: string): boolean {
  const parts = route.split("/");
  if (parts.length !== asked.length) return false;
  return parts.every((part, at) => part.startsWith(":") || part === asked[at]);
}
