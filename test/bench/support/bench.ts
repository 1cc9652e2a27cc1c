/** One entry of the registry in main.ts. */
export interface Bench {
  /** Name, options and purpose, as the usage shows them. */
  readonly usage: string;
  /** @returns the exit code */
  run(args: readonly string[]): Promise<number>;
}
