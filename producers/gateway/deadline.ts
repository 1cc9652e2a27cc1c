/** Longest time that a client may ask to wait; a connection is not held for longer. */
export const MAX_WAIT_SECONDS = 300;

export interface Deadline {
  readonly ms: number;
  /** The preference that was followed, for the header `Preference-Applied`. */
  readonly applied?: string;
}

/** The time for an answer: `Prefer: wait=N` as RFC 7240 has it, at most {@link MAX_WAIT_SECONDS}. */
export function deadlineOf(prefer: string | undefined, defaultMs: number): Deadline {
  const wait = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=[,;]|$)/i.exec(prefer ?? "")?.[1];
  if (wait === undefined) return { ms: defaultMs };
  const seconds = Math.min(Number(wait), MAX_WAIT_SECONDS);
  return { ms: seconds * 1_000, applied: `wait=${seconds}` };
}
