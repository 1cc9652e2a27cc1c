import type { Caller, Scope } from "../../src/core/caller.js";
import { Refusal } from "./refusal.js";

/** @throws Refusal 403 if the caller's key has none of the rights; an admin has all */
export function requireScope({ scopes }: Caller, ...allowed: readonly Scope[]): void {
  if (scopes.has("admin") || allowed.some((scope) => scopes.has(scope))) return;
  const message = `the API key lacks the right ${allowed.join(" or ")}`;
  throw new Refusal(403, "access_denied", message);
}
