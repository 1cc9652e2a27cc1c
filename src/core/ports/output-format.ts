import type { RerankRequest } from "../contract.js";

/**
 * The form in which a run's rankings are written, opened for one output. JSON lines are the form that
 * all others are made of.
 *
 * Suite: `test/conformance/output-format.suite.ts`. Registry: `src/outputs/formats/registry.ts`.
 */
export interface OutputFormat {
  /** The name as `--output-format` spells it. */
  readonly name: string;
  /** Makes the text of one ranking, ends included; absent if that takes the whole run, so that only a file can hold it. */
  readonly textOf?: (ranking: string) => string;
  /** Makes the whole output of a file of rankings; absent if the rankings are the output. */
  readonly convert?: (rankingsPath: string) => AsyncIterable<string>;
  /**
   * Refuses a record whose ranking this form could not hold; absent if it holds any.
   *
   * @throws RankmillError that names the field
   */
  readonly accepts?: (request: RerankRequest) => void;
  /** The only format of input lines that goes with this form; absent if any does. */
  readonly inputFormat?: string;
}

/** A kind of output format, before it is opened for one output. */
export interface OutputFormatKind {
  readonly name: string;
  /** @throws RankmillError `invalid_option` for a choice that this form cannot serve */
  open(choice: OutputChoice): OutputFormat;
}

/** The user's choices that any form asks for. */
export interface OutputChoice {
  /** A path, or `-` for standard output. */
  readonly output: string;
  readonly input: { readonly path: string; readonly kind: "file" | "folder" | "stream" };
  /** The name of the input lines' format. */
  readonly inputFormat: string;
  /** The first-stage run, if the input has one. */
  readonly firstStage: string | undefined;
  /** Results per record; undefined or 0: all. */
  readonly topN: number | undefined;
  /** The last column of a TREC run. */
  readonly tag: string;
  /** Append beneath each ranking the candidates that were not reranked. */
  readonly keepRest: boolean;
}
