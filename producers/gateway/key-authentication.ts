import type { Logger } from "pino";
import type { AccessKey } from "../../src/core/access-key.js";
import type { Caller } from "../../src/core/caller.js";
import type { KeyDirectory } from "../../src/app/keys/key-directory.js";
import type { CallerLimitKeeper } from "../../src/app/tenants/caller-limits.js";
import { GuessLimit } from "../../src/platform/guess-limit.js";
import type { Authenticate, Authentication, Credentials } from "./authentication.js";

const MISSING: Authentication = {
  status: "refused",
  code: 401,
  message: "an API key is needed: Authorization: Bearer KEY, X-API-Key or api-key",
};

const WRONG: Authentication = {
  status: "refused",
  code: 401,
  message: "the API key is not known, was revoked, or has expired",
};

/** The rule of a gateway with keys: each request names one, and counts against its limits. */
export function authenticateKeys(
  directory: KeyDirectory,
  keeper: CallerLimitKeeper,
  logger: Logger,
  now: () => number = Date.now,
): Authenticate {
  const guesses = new GuessLimit(now);
  return async (credentials) => {
    const tokens = tokensOf(credentials);
    if (tokens.length === 0) return MISSING;
    const { remoteAddress: address } = credentials;
    const pauseMs = guesses.pauseMs(address);
    // Behind one proxy all users have one address: whoever was right a moment ago is let in.
    if (pauseMs > 0 && !tokens.some((token) => directory.knows(token))) return pause(pauseMs);
    const key = await findKey(directory, tokens);
    if (key === undefined) {
      const wrong = guesses.wrong(address);
      if (wrong !== undefined) logger.warn({ address, wrong }, "wrong API key");
      return WRONG;
    }
    // During a pause nothing is forgiven: a guesser may have a key of their own.
    if (pauseMs === 0) guesses.right(address);
    const caller = callerOf(key);
    await keeper.admit(caller);
    return { status: "admitted", caller };
  };
}

/** The keys that a request names, in whatever header: clients of other servers have each their own. */
function tokensOf({ header }: Credentials): string[] {
  const authorization = header("authorization")?.replace(/^Bearer +/i, "");
  const given = [authorization, header("x-api-key"), header("api-key")];
  const tokens = given.map((token) => token?.trim() ?? "").filter((token) => token !== "");
  return [...new Set(tokens)];
}

async function findKey(
  directory: KeyDirectory,
  tokens: readonly string[],
): Promise<AccessKey | undefined> {
  for (const token of tokens) {
    const key = await directory.find(token);
    if (key !== undefined) return key;
  }
  return undefined;
}

function callerOf({ id, scopes, limits }: AccessKey): Caller {
  return { keyId: id, scopes: new Set(scopes), limits };
}

function pause(ms: number): Authentication {
  return {
    status: "refused",
    code: 429,
    message: "too many wrong API keys from this address: wait a little",
    retryAfterSeconds: Math.ceil(ms / 1_000),
  };
}
