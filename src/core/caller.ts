import type { Priority } from "./priority.js";

export const SCOPES = ["rerank", "runs", "read", "admin"] as const;

/** A right of a key: to rank, to submit runs, to read what is there, to look after keys. */
export type Scope = (typeof SCOPES)[number];

/** The most that one caller may have under way. What is left out has no bound of its own. */
export interface CallerLimits {
  readonly requestsPerMinute?: number;
  readonly pairsInFlight?: number;
  /** The highest priority that the caller's jobs may have. */
  readonly highestPriority?: Priority;
}

/** Somebody whose requests are told apart from all others': jobs belong to their caller. */
export interface Caller {
  readonly keyId: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly limits: CallerLimits;
}

/** Whoever reaches a gateway that asks for no key: the users of this host. */
export const LOCAL_CALLER: Caller = { keyId: "local", scopes: new Set(SCOPES), limits: {} };
