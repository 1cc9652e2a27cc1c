/** Every kind of place that holds records. A new one (CSV, a JSON array) is a file beside this and a line here. */
import type { InputContainer, InputPlace } from "../../core/ports/input-container.js";
import { collectionFolder } from "./collection.js";
import { jsonLines } from "./json-lines.js";

/** The first that holds a place opens it; JSON lines take whatever is no other's. */
const CONTAINERS: readonly InputContainer[] = [collectionFolder, jsonLines];

/** The containers themselves, for whatever must hold of each. */
export function inputContainers(): readonly InputContainer[] {
  return CONTAINERS;
}

export function containerOf(place: InputPlace): InputContainer {
  return CONTAINERS.find((container) => container.holds(place)) ?? jsonLines;
}
