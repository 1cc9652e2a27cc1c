import type { Wire, WireBody } from "../../../core/ports/wire.js";
import { documentsWire } from "./documents.js";
import { huggingFaceWire } from "./hugging-face.js";
import { nimWire } from "./nim.js";
import { scoreWire } from "./score.js";
import { teiWire } from "./tei.js";
import { weaviateWire } from "./weaviate.js";

/** Every wire. If several take a body on one path, the first does. */
export const WIRES: readonly Wire[] = [
  teiWire,
  weaviateWire,
  documentsWire,
  nimWire,
  huggingFaceWire,
  scoreWire,
];

/** Every path that some wire has. */
export function wirePaths(): string[] {
  return [...new Set(WIRES.flatMap(({ paths }) => paths))];
}

/** The wire whose errors clients of a path read, as long as nothing is known of the body. */
export function firstWireOf(path: string): Wire {
  // Most clients of a path that several wires share send documents.
  if (documentsWire.paths.includes(path)) return documentsWire;
  return WIRES.find(({ paths }) => paths.includes(path)) ?? documentsWire;
}

/** The wire of a body on a path; of a body that none takes, the first, which says what is missing. */
export function wireOf(path: string, body: WireBody): Wire {
  const found = WIRES.find((wire) => wire.paths.includes(path) && wire.takes(body));
  return found ?? firstWireOf(path);
}
