import type { SeededRandom } from "./random.js";

export type DamageKind = "flip" | "cut" | "repeat";
export const DAMAGE_KINDS = ["flip", "cut", "repeat"] as const satisfies readonly DamageKind[];

/** The bytes with one flipped bit, without their end, or with one byte twice. */
export function damaged(bytes: Buffer, kind: DamageKind, random: SeededRandom): Buffer {
  const at = random.between(0, bytes.length - 1);
  if (kind === "cut") return Buffer.from(bytes.subarray(0, at));
  if (kind === "repeat") return Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]);
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << random.between(0, 7)), at);
  return copy;
}
