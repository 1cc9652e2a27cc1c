import type { Limits } from "../contract.js";
import type { RecordSource } from "./record-source.js";

/**
 * A kind of place that holds records, such as a file of JSON lines or the folder of a collection.
 *
 * Suite: `test/conformance/input-container.suite.ts`. Registry: `src/inputs/containers/registry.ts`.
 */
export interface InputContainer {
  readonly name: string;
  /** The options that mean something for this kind; the others of {@link CONTAINER_OPTIONS} are refused. */
  readonly takes: readonly ContainerOption[];
  /** Tells this kind from others by what lies at the place. */
  holds(place: InputPlace): boolean;
  /** @throws RankmillError for a place that cannot be read, or options that do not fit it */
  open(choice: InputChoice, options: SourceOptions): Promise<RecordSource>;
}

/** The kind of thing that `--input` points at. */
export interface InputPlace {
  readonly path: string;
  /** *stream*: standard input, or a pipe: it can be read once. */
  readonly kind: "file" | "folder" | "stream";
}

/** The options of an input that only some containers know. */
export const CONTAINER_OPTIONS = ["firstStage", "depth", "split"] as const;
export type ContainerOption = (typeof CONTAINER_OPTIONS)[number];

/** The choice of an input. */
export interface InputChoice {
  /** A file, a pipe, `-` for standard input, or a folder. */
  readonly input: string;
  /** The name of a line's format; `auto`: told by each line's fields. */
  readonly format: string;
  readonly firstStage: string | undefined;
  readonly depth: number | undefined;
  readonly split: string | undefined;
  readonly docFields: readonly string[];
  readonly indexDir: string;
}

export interface SourceOptions {
  readonly limits: Limits;
  readonly topN: number | undefined;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Called with what a user should know and need not act on. */
  readonly onNote: (text: string) => void;
  /** Names of the model that scores, for lines that name one themselves; asked while reading. */
  readonly modelNames: () => readonly string[];
  /** Tells why a line of JSON is not taken, whatever its shape; such a line fails alone. */
  readonly refuseLine?: RefuseLine | undefined;
}

/** @returns undefined for a line that is taken */
export type RefuseLine = (
  line: unknown,
) => { readonly field: string; readonly message: string } | undefined;
