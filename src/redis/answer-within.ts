import { RankmillError } from "../core/errors.js";
import { waitAtMost } from "../platform/wait-at-most.js";

/**
 * Waits for what Redis answers at a start. A start that hangs serves nobody and says nothing: it ends, and whoever
 * looks after the process starts it anew, on new connections.
 *
 * @param what is being done, for the message
 * @throws RankmillError `redis_unavailable` if there is no answer by then, and what `asked` rejects with
 */
export async function answerWithin<T>(asked: Promise<T>, ms: number, what: string): Promise<T> {
  const outcome = await waitAtMost(asked, ms);
  if (outcome.status === "settled") return outcome.value;
  const seconds = Math.round(ms / 1_000);
  throw new RankmillError("redis_unavailable", `Redis has not answered for ${seconds} s: ${what}`);
}
