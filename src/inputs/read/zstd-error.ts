/** The reason why zstd data could not be read. */
export class ZstdError extends Error {
  readonly reason: "cut_short" | "corrupt" | "window_too_large";

  constructor(reason: ZstdError["reason"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ZstdError";
    this.reason = reason;
  }
}
