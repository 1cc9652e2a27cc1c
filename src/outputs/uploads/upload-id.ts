import { RankmillError } from "../../core/errors.js";

const UPLOAD_ID = /^file-[a-z0-9]{1,64}$/;

/** The id of an upload, which becomes part of a path or a key. @throws RankmillError `not_found` */
export function checkUploadId(id: string): string {
  if (UPLOAD_ID.test(id)) return id;
  throw uploadGone(id);
}

export function uploadGone(id: string): RankmillError {
  const message = `there is no file ${JSON.stringify(id.slice(0, 200))}`;
  return new RankmillError("not_found", message);
}
