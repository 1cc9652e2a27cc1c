import { fitQuadratic, quadraticAt, type Quadratic, type ShapeSample } from "./quadratic.js";

/**
 * Kept above what was measured: the runtime's arena reuses its blocks less well after a mixed
 * sequence of shapes than after the ascending one that is measured.
 */
const SAFETY_FACTOR = 1.2;

const MIB = 1024 * 1024;

/**
 * Stands in if nothing was measured: 16 heads of fp32 attention, three of them alive at once, and
 * the hidden states of a model of 1,024 × 4,096 (XLM-R large). Too much for every smaller model.
 */
export const UNMEASURED_ACTIVATION: Quadratic = {
  fixed: 16 * MIB,
  perToken: 96 * 1024,
  perSquare: 192,
};

/**
 * An upper bound of the bytes that a lane takes for a batch, from a few measured ones. None of the
 * samples exceeds it, and beyond them it grows no slower than they did.
 */
export function fitActivation(samples: readonly ShapeSample[]): Quadratic {
  const fitted = fitQuadratic(samples);
  const shortfall = samples.reduce(
    (most, { rows, length, value }) => Math.max(most, value - quadraticAt(fitted, rows, length)),
    0,
  );
  return {
    fixed: (fitted.fixed + shortfall) * SAFETY_FACTOR,
    perToken: fitted.perToken * SAFETY_FACTOR,
    perSquare: fitted.perSquare * SAFETY_FACTOR,
  };
}

/** Tokens of the longest single pair whose batch takes no more than `bytes`; 0 if none does. */
export function longestWithin(activation: Quadratic, bytes: number): number {
  const room = bytes - activation.fixed;
  if (room <= 0) return 0;
  const { perToken: b, perSquare: a } = activation;
  if (a === 0) return b === 0 ? Number.MAX_SAFE_INTEGER : Math.floor(room / b);
  return Math.floor((-b + Math.sqrt(b * b + 4 * a * room)) / (2 * a));
}
