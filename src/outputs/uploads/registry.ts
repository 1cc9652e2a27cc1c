/** Every kind of place for uploads: each kind of spool has one beside its runs. */
import type { UploadStore } from "../../core/ports/upload-store.js";
import { s3Place } from "../spool/s3-place.js";
import { FolderUploads } from "./folder-uploads.js";

/**
 * @param spool as `openSpool`
 * @throws RankmillError as `openSpool`
 */
export async function openUploads(
  spool: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<UploadStore> {
  if (!spool.startsWith("s3://")) return new FolderUploads(spool);
  // Loaded by those who need it alone.
  const [{ S3Bucket }, { S3Uploads }] = await Promise.all([
    import("../spool/s3-bucket.js"),
    import("./s3-uploads.js"),
  ]);
  return new S3Uploads(await S3Bucket.open(s3Place(spool, env)));
}
