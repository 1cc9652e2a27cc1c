/** Native libraries inside Python wheels: their publishers put them there, and nowhere else that can be pinned. */

/** One file inside a wheel. */
export interface NativeFile {
  /** Path below the folder that it is put into. */
  readonly name: string;
  /** Offset of its deflated bytes in the wheel. */
  readonly offset: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface NativeWheel {
  /** Its project in a Python package index. */
  readonly project: string;
  readonly version: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly files: readonly NativeFile[];
}
