import { Refusal } from "./refusal.js";

/** A bound on the clients that wait for an answer. */
export class Waiting {
  readonly #maxClients: number;
  #clients = 0;

  constructor(maxClients: number) {
    this.#maxClients = maxClients;
  }

  get clients(): number {
    return this.#clients;
  }

  /**
   * Does work for one more client.
   *
   * @throws Refusal 503 if there are too many
   */
  async admit<T>(work: () => Promise<T>): Promise<T> {
    if (this.#clients >= this.#maxClients) {
      const message = `${this.#maxClients} clients wait already (maxWaitingClients): try again`;
      const headers = { "Retry-After": "1", Connection: "close" };
      throw new Refusal(503, "limit_exceeded", message, headers);
    }
    this.#clients += 1;
    try {
      return await work();
    } finally {
      this.#clients -= 1;
    }
  }
}
