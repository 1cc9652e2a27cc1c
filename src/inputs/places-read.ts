import type { InputChoice } from "../core/ports/input-container.js";

/** A place that a command reads, and the option that names it, as the library spells it. */
export interface PlaceRead {
  readonly option: string;
  /** A path, or `-` for standard input. */
  readonly path: string;
}

/** Every place that the records of a choice are read from. */
export function placesRead({ input, firstStage }: InputChoice): PlaceRead[] {
  return [
    { option: "input", path: input },
    ...(firstStage === undefined ? [] : [{ option: "firstStage", path: firstStage }]),
  ];
}
