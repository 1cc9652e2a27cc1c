/**
 * Lets the jobs of a worker be tokenised beside each other, and one that is suspected of killing
 * workers alone: if the worker dies then, no other job was being tokenised. First come, first served.
 */
export class TokenisingGate {
  #inside = 0;
  /** True while the one inside is alone. */
  #closed = false;
  readonly #waiting: { readonly alone: boolean; readonly enter: () => void }[] = [];

  async run<Result>(alone: boolean, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((enter) => {
      this.#waiting.push({ alone, enter });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      this.#closed = false;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#closed || (next.alone && this.#inside > 0)) return;
      this.#waiting.shift();
      this.#inside += 1;
      this.#closed = next.alone;
      next.enter();
    }
  }
}
