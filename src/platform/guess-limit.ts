/** Wrong passwords that cost nothing: people mistype. */
const FREE_GUESSES = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 10_000;
/** An address that has been quiet for so long starts anew. */
const FORGOTTEN_AFTER_MS = 600_000;
/** The oldest is forgotten for the next; more addresses than this are no person's. */
const MOST_ADDRESSES = 1_000;

interface Guesses {
  readonly wrong: number;
  readonly lastAtMs: number;
}

/**
 * Slows down whoever guesses passwords. After some wrong ones, an address must pause after each, and
 * what it sends meanwhile is not looked at, right or wrong: otherwise the pause would tell which it is.
 */
export class GuessLimit {
  readonly #now: () => number;
  readonly #byAddress = new Map<string, Guesses>();

  /** @param now in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds until a password from `address` is looked at again; 0: at once. */
  pauseMs(address: string): number {
    const guesses = this.#byAddress.get(networkOf(address));
    if (guesses === undefined || guesses.wrong < FREE_GUESSES) return 0;
    const doubled = FIRST_PAUSE_MS * 2 ** Math.min(guesses.wrong - FREE_GUESSES, 10);
    const pause = Math.min(doubled, LONGEST_PAUSE_MS);
    return Math.max(0, guesses.lastAtMs + pause - this.#now());
  }

  /** Counts a wrong password. @returns how many `address` has sent, if that is worth a line in the log */
  wrong(address: string): number | undefined {
    const network = networkOf(address);
    const before = this.#byAddress.get(network);
    const now = this.#now();
    const forgotten = before === undefined || now - before.lastAtMs > FORGOTTEN_AFTER_MS;
    const wrong = forgotten ? 1 : before.wrong + 1;
    this.#byAddress.delete(network);
    this.#byAddress.set(network, { wrong, lastAtMs: now });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > MOST_ADDRESSES && oldest !== undefined) {
      this.#byAddress.delete(oldest);
    }
    // 1, 2, 4, 8 …: a log that guesses fill hides what else it holds.
    return Number.isInteger(Math.log2(wrong)) ? wrong : undefined;
  }

  right(address: string): void {
    this.#byAddress.delete(networkOf(address));
  }
}

/** An IPv6 host has a whole /64 of addresses to guess from. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  return address.split(":", 4).join(":");
}
