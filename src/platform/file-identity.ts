import { fstat, type BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";

const fstatAsync = promisify(fstat);

/**
 * The identity of a regular file, whatever it is called: links, hard links, `/dev/fd/3` and
 * names in another case lead to one identity.
 *
 * @param place a path, or the number of an open file
 * @returns undefined if nothing is there, or no regular file
 */
export async function identityOf(place: string | number): Promise<string | undefined> {
  const found = await statOf(place).catch(() => undefined);
  return found?.isFile() === true ? `${found.dev}:${found.ino}` : undefined;
}

async function statOf(place: string | number): Promise<BigIntStats> {
  return typeof place === "string"
    ? await stat(place, { bigint: true })
    : await fstatAsync(place, { bigint: true });
}
