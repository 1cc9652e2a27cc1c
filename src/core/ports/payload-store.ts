/** The store of large payloads. */
export interface PayloadStore {
  /**
   * @param maxBytes as many as its job says that it has, and permits were taken for: more are not read
   * @returns the request as JSON, undefined if it is gone
   * @throws RankmillError `damaged`
   */
  read(jobId: string, maxBytes: number): Promise<string | undefined>;
}
