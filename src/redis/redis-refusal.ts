import { describeError, RankmillError } from "../core/errors.js";

interface Refusal {
  /** Start of the server's answer. */
  readonly starts: RegExp;
  /** Meaning, and what an operator does about it. */
  readonly advice: string;
  /** Whether the refusal may be over in a moment by itself. */
  readonly passes: boolean;
}

/**
 * Answers by which a Redis that can be reached refuses a command, and what helps: the one table behind
 * messages, exit codes and waiting.
 */
const REFUSALS: readonly Refusal[] = [
  {
    starts: /^OOM /,
    advice: "its memory is full (maxmemory): raise the limit, or let fewer jobs wait in it",
    passes: true,
  },
  {
    starts: /^MISCONF /,
    advice: "it cannot write its data to disk: see its log, and free disk space",
    passes: true,
  },
  { starts: /^LOADING /, advice: "it is still loading its data", passes: true },
  { starts: /^BUSY /, advice: "a script of somebody else's keeps it busy", passes: true },
  { starts: /^TRYAGAIN /, advice: "its cluster is moving keys", passes: true },
  {
    starts: /^CLUSTERDOWN /,
    advice: "its cluster is not complete: check its nodes",
    passes: true,
  },
  { starts: /^MASTERDOWN /, advice: "it is a replica that has lost its primary", passes: true },
  { starts: /^NOREPLICAS /, advice: "it has too few replicas to take writes", passes: true },
  {
    starts: /^(ERR )?max number of clients/,
    advice: "it has no room for more connections: raise maxclients, or start fewer processes",
    passes: true,
  },
  {
    starts: /^READONLY /,
    advice: "it is a replica, which takes no writes: give the address of the primary",
    passes: false,
  },
  {
    starts: /^(NOAUTH|WRONGPASS) |invalid password|AUTH <?password>? called without/i,
    advice: "the password is missing or wrong, or there is no such user",
    passes: false,
  },
  {
    starts: /^NOPERM /,
    advice: "the user lacks a right that is needed; docs/redis.md lists them all",
    passes: false,
  },
  {
    starts: /^(MOVED|ASK|CROSSSLOT) /,
    advice: "it is a node of a cluster: write its address as redis+cluster://host:port",
    passes: false,
  },
  {
    starts: /^ERR This instance has cluster support disabled/i,
    advice: "it is a server alone, in no cluster: write its address as redis://host:port",
    passes: false,
  },
  {
    starts: /^ERR (DB index is out of range|invalid DB index|SELECT is not allowed)/i,
    advice: "it has no database of this number: give one that it has (see its `databases` setting)",
    passes: false,
  },
  {
    starts: /^ERR unknown command/i,
    advice: "it does not know a command that is needed: use Redis 6.2 or later, or Valkey",
    passes: false,
  },
  {
    starts: /^(DENIED|NOPROTO|UNKILLABLE) /,
    advice: "its settings refuse this client",
    passes: false,
  },
];

/** The refusal that an error is, also inside the errors that it caused. */
function refusalOf(
  error: unknown,
): { readonly said: string; readonly refusal: Refusal } | undefined {
  for (
    let at: unknown = error, depth = 0;
    at instanceof Error && depth < 4;
    at = at.cause, depth++
  ) {
    const said = at.message.replace(/^EXECABORT [^:]*because of: /, "");
    const refusal = REFUSALS.find(({ starts }) => starts.test(said));
    if (refusal !== undefined) return { said, refusal };
  }
  return undefined;
}

/** Whether Redis refused for a reason that may be over in a moment. */
export function isPassingRefusal(error: unknown): boolean {
  return refusalOf(error)?.refusal.passes ?? false;
}

/** The answer of Redis, in its own first words, and what to do about it. */
export function explainRefusal(error: unknown): string | undefined {
  const found = refusalOf(error);
  if (found === undefined) return undefined;
  // The rest of an answer may be a script's hash and line, which help nobody.
  const words = found.said.replace(/\.? script: .*$/s, "").split("\n", 1)[0] ?? "";
  return `${found.refusal.advice} (it says: ${words})`;
}

/**
 * The same error as one of ours, if Redis refused or cannot be reached any more.
 *
 * @returns `redis_unavailable` with what to do, else `error` itself
 */
export function asRedisError(error: unknown): unknown {
  if (error instanceof RankmillError) return error;
  const why = explainRefusal(error) ?? lostConnection(error);
  if (why === undefined) return error;
  return refusedFor(why, error);
}

/** @param why Redis refuses, with what to do about it */
export function refusedFor(why: string, cause: unknown): RankmillError {
  const message = `Redis refuses: ${why}; then run again to go on`;
  return new RankmillError("redis_unavailable", message, { cause });
}

/** Whether the connection ended before the answer came. */
export function isLostConnection(error: unknown): boolean {
  const lost = /^Connection is closed|^Reached the max retries per request limit/;
  return error instanceof Error && lost.test(error.message);
}

function lostConnection(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "ReplyError") return describeError(error).message;
  return isLostConnection(error) ? "the connection to it is closed" : undefined;
}
