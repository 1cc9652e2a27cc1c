/**
 * The shape of one line of input.
 *
 * Suite: `test/conformance/input-format.suite.ts`. Registry: `src/inputs/formats/registry.ts`.
 */
export interface InputFormat {
  /** The name as `--input-format` spells it. */
  readonly name: string;
  /** The fields that tell this shape from others, for the message about a line of no known shape. */
  readonly fields: string;
  /** Tells the shape by fields that no other shape has. Values are not read: a line with a wrong value gets that value's error. */
  detect(line: ParsedLine): boolean;
  /** Brings a line into the shape of a request. Values stay as they are: the contract checks them. */
  toRequest(line: ParsedLine): Conversion;
  /**
   * Writes a ranking back into the line that it came from, every other field as it was. Absent if
   * the shape has no place for scores.
   *
   * @param results of all documents, in any order
   */
  readonly writeBack?: (line: ParsedLine, results: readonly DocumentLogit[]) => ParsedLine;
}

/** A line of input that is a JSON object. */
export type ParsedLine = Readonly<Record<string, unknown>>;

/** The fields of a request, before the contract has checked them. */
export interface RequestFields {
  readonly id?: unknown;
  readonly query?: unknown;
  readonly documents?: unknown;
  readonly top_n?: unknown;
  readonly metadata?: unknown;
}

export type Conversion =
  | {
      readonly status: "converted";
      readonly request: RequestFields;
      /** The model that the line asks for; whoever runs it decides whether another one may do. */
      readonly model?: string;
      /** Fields of the line that have no counterpart and no effect. */
      readonly ignored: readonly string[];
    }
  | {
      readonly status: "unusable";
      readonly code: "invalid_field";
      /** The field as the line spells it: `body.query`. */
      readonly field: string;
      readonly message: string;
    };

/** One result of a ranking, as far as it is needed to write scores back. */
export interface DocumentLogit {
  readonly index: number;
  readonly logit: number;
}
