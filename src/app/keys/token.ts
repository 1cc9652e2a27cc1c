import { createHash, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

const PREFIX = "rk_";
const ID_CHARS = 12;
const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const SECRET_BYTES = 32;
const TOKEN = /^rk_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/;

/** A token that was just made, with what a store keeps of it. */
export interface NewToken {
  readonly id: string;
  readonly token: string;
  readonly hash: string;
}

/**
 * Makes a token: `rk_`, a public id of 12 characters, and 256 random bits.
 *
 * Its hash is plain SHA-256. A slow hash protects what people choose, because such secrets can be guessed
 * by the million; of 256 random bits nobody guesses one, and every request would pay for it.
 */
export function makeToken(): NewToken {
  const letters = Array.from({ length: ID_CHARS }, () => ID_ALPHABET[randomInt(36)] ?? "a");
  const id = letters.join("");
  const token = `${PREFIX}${id}_${randomBytes(SECRET_BYTES).toString("base64url")}`;
  return { id, token, hash: hashOf(token) };
}

/** The public id in a token; undefined for a text that is no token of ours. */
export function idInToken(token: string): string | undefined {
  return TOKEN.exec(token)?.[1];
}

/** SHA-256 in hexadecimal digits. */
export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Compares in a time that does not depend on where the two differ. */
export function isTokenOf(token: string, hash: string): boolean {
  const given = Buffer.from(hashOf(token), "hex");
  const kept = Buffer.from(hash, "hex");
  return given.length === kept.length && timingSafeEqual(given, kept);
}
