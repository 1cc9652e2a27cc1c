import { z } from "zod";
import { SCOPES } from "./caller.js";
import { PRIORITIES } from "./priority.js";

/** Letters and digits: safe in a Redis key, a file name and a log. */
const KEY_ID = /^[a-z0-9]{1,32}$/;
const MAX_NAME_CHARS = 200;

/** A key as a store keeps it: the token itself is known to its user alone. */
export const accessKeySchema = z.object({
  id: z.string().regex(KEY_ID),
  /** SHA-256 of the whole token, in hexadecimal digits. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** A name for people. */
  name: z.string().max(MAX_NAME_CHARS),
  scopes: z.array(z.enum(SCOPES)).min(1),
  limits: z.object({
    requestsPerMinute: z.int().min(1).exactOptional(),
    pairsInFlight: z.int().min(1).exactOptional(),
    highestPriority: z.enum(PRIORITIES).exactOptional(),
  }),
  createdAt: z.iso.datetime(),
  /** Absent: never. */
  expiresAt: z.iso.datetime().exactOptional(),
});

export type AccessKey = Readonly<z.infer<typeof accessKeySchema>>;

/** @param nowMs milliseconds since 1970 */
export function isExpired({ expiresAt }: Pick<AccessKey, "expiresAt">, nowMs: number): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= nowMs;
}
