interface Asked<Ask, Answer> {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what is asked within one turn of the event loop and has it answered in one go: a worker
 * with many small jobs in hand would otherwise spend most of its time on round trips.
 */
export class Coalescer<Ask, Answer> {
  readonly #answer: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
  readonly #maxAsks: number;
  #asked: Asked<Ask, Answer>[] = [];

  /** @param answer gives one answer an ask, in order, or fails for all of them */
  constructor(answer: (asks: readonly Ask[]) => Promise<readonly Answer[]>, maxAsks: number) {
    this.#answer = answer;
    this.#maxAsks = maxAsks;
  }

  async ask(ask: Ask): Promise<Answer> {
    return await new Promise<Answer>((resolve, reject) => {
      if (this.#asked.length === 0) setImmediate(() => this.#send());
      this.#asked.push({ ask, resolve, reject });
    });
  }

  #send(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (let at = 0; at < asked.length; at += this.#maxAsks) {
      void this.#settle(asked.slice(at, at + this.#maxAsks));
    }
  }

  async #settle(some: readonly Asked<Ask, Answer>[]): Promise<void> {
    try {
      const answers = await this.#answer(some.map(({ ask }) => ask));
      some.forEach(({ resolve }, i) => resolve(answers[i] as Answer));
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
