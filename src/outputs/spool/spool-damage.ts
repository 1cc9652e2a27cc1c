/** Findings that are kept with their text; the others are counted. */
const MAX_FINDINGS = 10;

/** The parts of a run's files that cannot be used, a line each. */
export class SpoolDamage {
  readonly #findings = new Set<string>();
  #more = 0;

  add(finding: string): void {
    if (this.#findings.size < MAX_FINDINGS) this.#findings.add(finding);
    else if (!this.#findings.has(finding)) this.#more += 1;
  }

  get lines(): readonly string[] {
    const more = this.#more === 0 ? [] : [`and ${this.#more} more`];
    return [...this.#findings, ...more];
  }
}
