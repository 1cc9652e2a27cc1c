import { accessKeySchema, type AccessKey } from "../../core/access-key.js";
import { SCOPES, type CallerLimits, type Scope } from "../../core/caller.js";
import { RankmillError } from "../../core/errors.js";
import { option, wording } from "../../core/wording.js";
import { makeToken } from "./token.js";

const DAY_MS = 86_400_000;

/** The wishes for a new key. */
export interface KeyWishes {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits: CallerLimits;
  readonly expiresInDays: number | undefined;
}

/**
 * Makes a key and its token, which nobody can read again.
 *
 * @throws RankmillError `invalid_option` for a name that is too long
 */
export function makeKey(
  { name, scopes, limits, expiresInDays }: KeyWishes,
  nowMs: number,
): { readonly key: AccessKey; readonly token: string } {
  const { id, hash, token } = makeToken();
  const expiresAt =
    expiresInDays === undefined
      ? {}
      : { expiresAt: new Date(nowMs + expiresInDays * DAY_MS).toISOString() };
  const createdAt = new Date(nowMs).toISOString();
  const key = { id, hash, name, scopes, limits, createdAt, ...expiresAt };
  const parsed = accessKeySchema.safeParse(key);
  if (parsed.success) return { key: parsed.data, token };
  const [issue] = parsed.error.issues;
  throw new RankmillError(
    "invalid_option",
    `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
  );
}

/** Reads `rerank,read`. @throws RankmillError `invalid_option` naming the scopes there are */
export function parseScopes(list: string): Scope[] {
  const names = list.split(",").map((name) => name.trim());
  return [...new Set(names)].map((name) => {
    const scope = SCOPES.find((one) => one === name);
    if (scope !== undefined) return scope;
    const message = wording`${option("scopes")}: "${name}" is none of ${SCOPES.join(", ")}`;
    throw new RankmillError("invalid_option", message, { field: "scopes" });
  });
}
