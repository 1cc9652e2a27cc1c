import type { Head } from "../ports/head.js";
import { DIFFERENCE } from "./difference.js";
import { ONE_LABEL } from "./one-label.js";
import { ONE_LOGIT } from "./one-logit.js";
import { SOFTMAX } from "./softmax.js";

/** Every head. A new one is a file beside these, and a place in this list. */
const REGISTERED = [ONE_LOGIT, SOFTMAX, DIFFERENCE, ONE_LABEL] as const;

export type HeadKind = (typeof REGISTERED)[number]["kind"];
export const HEADS: readonly (Head & { readonly kind: HeadKind })[] = REGISTERED;
export const HEAD_KINDS = REGISTERED.map(({ kind }) => kind);

export function headOf(kind: HeadKind): Head {
  const found = HEADS.find((head) => head.kind === kind);
  if (found === undefined) throw new RangeError(`no head is called ${kind}`);
  return found;
}
