/** The place of files that users of the gateway upload. Several gateways may share one. */
export interface UploadStore {
  /** A name for people, without credentials. */
  readonly name: string;
  /**
   * Stores a file, which is there once it is whole.
   *
   * @param id letters, digits and `-`
   * @returns its bytes
   * @throws RankmillError `place_unusable`, `spool_unavailable`; or what `chunks` throws
   */
  put(id: string, chunks: AsyncIterable<Uint8Array>): Promise<number>;
  /** The bytes of a file. @throws RankmillError `not_found` if it is gone */
  read(id: string): AsyncGenerator<Uint8Array, void, undefined>;
  /** Removes a file; one that is not there is removed already. */
  remove(id: string): Promise<void>;
  /** Removes files that were stored before a time, whoever has forgotten them. @returns how many */
  sweep(storedBeforeMs: number): Promise<number>;
}
