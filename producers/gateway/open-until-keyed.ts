import type { KeyDirectory } from "../../src/app/keys/key-directory.js";
import { RankmillError } from "../../src/core/errors.js";
import { waitAtMost } from "../../src/platform/wait-at-most.js";
import { admitLocal, type Authenticate } from "./authentication.js";

const ASK_AGAIN_MS = 2_000;
const ANSWER_WITHIN_MS = 2_000;

/**
 * The rule of a gateway that only users of this host can reach: it is open while there is no key. The first key that
 * is added closes it, within two seconds and for as long as the process lives.
 */
export function openUntilKeyed(
  directory: KeyDirectory,
  keyed: Authenticate,
  now: () => number = Date.now,
): Authenticate {
  let closed = false;
  let askedAtMs = -Infinity;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    const waited = await waitAtMost(directory.hasKeys(), ANSWER_WITHIN_MS);
    if (waited.status === "late") {
      throw new RankmillError("redis_unavailable", "the store of keys does not answer");
    }
    closed ||= waited.value;
    askedAtMs = now();
  };
  return async (credentials) => {
    if (!closed && now() - askedAtMs >= ASK_AGAIN_MS) {
      asking ??= ask().finally(() => (asking = undefined));
      await asking;
    }
    return await (closed ? keyed : admitLocal)(credentials);
  };
}
