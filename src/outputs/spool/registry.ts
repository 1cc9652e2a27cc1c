/** Every kind of spool. A new one is a file beside this and a line in `SPOOLS`. */
import type { Spool } from "../../core/ports/spool.js";
import type { SpoolKind } from "../../core/ports/spool-kind.js";
import { FolderSpool } from "./folder-spool.js";
import { s3Place } from "./s3-place.js";

const folder: SpoolKind = {
  scheme: undefined,
  open: async (place) => await Promise.resolve(new FolderSpool(place)),
};

const s3: SpoolKind = {
  scheme: "s3://",
  open: async (place, env) => {
    // Loaded by those who need it alone.
    const [{ S3Bucket }, { S3Spool }] = await Promise.all([
      import("./s3-bucket.js"),
      import("./s3-spool.js"),
    ]);
    return new S3Spool(await S3Bucket.open(s3Place(place, env)));
  },
};

/** A place belongs to the first whose scheme it begins with; a folder has none and comes last. */
const SPOOLS: readonly SpoolKind[] = [s3, folder];

/**
 * @param place a folder, or `s3://bucket/prefix`
 * @param env where endpoint, region and credentials of a bucket stand, under AWS' own names
 * @throws RankmillError `invalid_option` if something is missing, `missing_dependency`
 */
export async function openSpool(
  place: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Spool> {
  const found = SPOOLS.find(({ scheme }) => scheme === undefined || place.startsWith(scheme));
  return await (found ?? folder).open(place, env);
}
