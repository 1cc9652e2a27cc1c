/** Where large payloads lie. */
export interface PayloadStore {
  /** @returns the request as JSON, undefined where it is gone */
  read(jobId: string): Promise<string | undefined>;
}
