import { waitAtMost } from "./wait-at-most.js";

/** A resource that did not close, or not in time. */
export interface CloseProblem {
  readonly name: string;
  readonly error: unknown;
}

interface Opened {
  readonly name: string;
  readonly deadlineMs: number;
  readonly close: () => unknown;
}

/** Longer than any resource takes that still answers. */
const DEADLINE_MS = 5_000;

/**
 * The resources that one owner has opened, closed in reverse order: what was opened later may need
 * what was opened before.
 *
 * *open* → `closeAll` → *closed*. A resource that arrives when the owner is closed already, from a
 * start that was given up half way, is closed at once.
 */
export class Closers {
  readonly #opened: Opened[] = [];
  #closing: Promise<readonly CloseProblem[]> | undefined;

  /**
   * Takes over a resource.
   *
   * @param name for messages: `lanes`, `health file`
   * @param close may be asynchronous, and may throw
   * @param deadlineMs after this the resource counts as stuck, and the next one is closed
   * @returns the resource
   * @throws if the owner is closed already; then the resource is closed too
   */
  use<T>(
    name: string,
    resource: T,
    close: (resource: T) => unknown,
    deadlineMs: number = DEADLINE_MS,
  ): T {
    const opened = { name, deadlineMs, close: () => close(resource) };
    if (this.#closing !== undefined) {
      void closeOne(opened);
      throw new Error(`${name}: opened after the end`);
    }
    this.#opened.push(opened);
    return resource;
  }

  /**
   * Closes everything, the newest first. One that fails or hangs does not keep the others open.
   * Later calls wait for the first one.
   *
   * @returns what did not close; never rejects
   */
  closeAll(): Promise<readonly CloseProblem[]> {
    this.#closing ??= this.#closeInReverse();
    return this.#closing;
  }

  async #closeInReverse(): Promise<CloseProblem[]> {
    const problems: CloseProblem[] = [];
    for (let opened = this.#opened.pop(); opened !== undefined; opened = this.#opened.pop()) {
      const problem = await closeOne(opened);
      if (problem !== undefined) problems.push(problem);
    }
    return problems;
  }
}

/** Never rejects. */
async function closeOne({ name, close, deadlineMs }: Opened): Promise<CloseProblem | undefined> {
  try {
    const closed = await waitAtMost((async () => await close())(), deadlineMs);
    if (closed.status === "settled") return undefined;
    return { name, error: new Error(`not closed within ${deadlineMs} ms`) };
  } catch (error) {
    return { name, error };
  }
}
