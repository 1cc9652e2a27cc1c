/** A head at work: which one a model has, and the logits that it makes. Small, since lanes load it. */
import type { HeadLabels } from "../ports/head.js";
import { headOf, type HeadKind } from "./registry.js";

/** The head of a model, its labels as numbers. */
export interface HeadUse extends HeadLabels {
  readonly kind: HeadKind;
  /** Factor of the logit. */
  readonly scale: number;
}

/** The head of a model that names none. */
export const PLAIN_HEAD: HeadUse = { kind: "logit", label: 1, against: 0, scale: 1 };

/** @returns why a graph with so many numbers per pair cannot be read; undefined if it can */
export function whyNotNumbers(count: number, use: HeadUse): string | undefined {
  const { reads, numbers } = headOf(use.kind);
  const { least, most } = numbers;
  const logits = `${count} logit${count === 1 ? "" : "s"} per pair`;
  if (count < least || count > most) {
    return use.kind === PLAIN_HEAD.kind
      ? `it gives ${logits}, and nothing says how one score is made of them: write {"head": {"kind": "softmax", "label": N}} into rankmill.json, N being the label that means relevant, or choose a model with num_labels 1`
      : `it gives ${logits}, and its head "${use.kind}" in rankmill.json reads ${least === most ? least : `at least ${least}`}: change the head, or leave it out`;
  }
  const missing = reads.find((name) => use[name] >= count);
  return missing === undefined
    ? undefined
    : `it gives ${logits}, and its head reads label ${use[missing]}: labels count from 0, so correct "${missing}" in rankmill.json`;
}

/**
 * @param values the numbers of all rows, row by row
 * @returns one logit per row; `values` itself if there is nothing to do
 */
export function logitsOfRows(values: Float32Array, rows: number, use: HeadUse): Float32Array {
  const { kind, scale } = use;
  if (kind === PLAIN_HEAD.kind && scale === 1) return values;
  const head = headOf(kind);
  const count = values.length / rows;
  return Float32Array.from(
    { length: rows },
    (_, row) => head.logit(values.subarray(row * count, (row + 1) * count), use) * scale,
  );
}
