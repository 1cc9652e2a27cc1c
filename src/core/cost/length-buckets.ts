/**
 * The lengths to which a GPU's batches are padded, from a closed set: a graphics card's memory grows
 * with every new shape, so there must be few. From 64 on a step adds at most half of the one before: the
 * padding is a third at the worst, and tensor cores like multiples of 8.
 */
const STEPS = [
  32, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_096, 6_144, 8_192, 12_288,
  16_384, 24_576, 32_768,
] as const;

/** @param highest tokens of the model's longest pair: the last bucket, for it may be no step */
export function lengthBuckets(highest: number): readonly number[] {
  return [...STEPS.filter((step) => step < highest), highest];
}

/** The length to which a row of `length` tokens is padded; a longer one than any bucket stays as it is. */
export function paddedLength(length: number, buckets: readonly number[] | undefined): number {
  return buckets?.find((bucket) => bucket >= length) ?? length;
}
