/** Every kind of place that holds records. A new one is a file beside this and a line here. */
import type { InputContainer, InputPlace } from "../../core/ports/input-container.js";
import { collectionFolder } from "./collection.js";
import { textFile } from "./text-file.js";

/** The first that holds a place opens it; a text file takes whatever is no other's. */
const CONTAINERS: readonly InputContainer[] = [collectionFolder, textFile];

/** The containers themselves, for whatever must hold of each. */
export function inputContainers(): readonly InputContainer[] {
  return CONTAINERS;
}

export function containerOf(place: InputPlace): InputContainer {
  return CONTAINERS.find((container) => container.holds(place)) ?? textFile;
}
