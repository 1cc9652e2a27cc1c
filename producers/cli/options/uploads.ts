import type { UploadBounds } from "../../../src/app/tenants/owned-files.js";
import type { GroupValues, OptionGroup } from "./option-spec.js";

/** Files and runs that users of the gateway send. */
export const UPLOADS = {
  title: "Gateway",
  options: {
    maxUploadBytes: {
      flags: "--max-upload-bytes <n>",
      env: "RANKMILL_MAX_UPLOAD_BYTES",
      type: "integer",
      min: 1,
      default: 209_715_200,
      unit: "bytes",
      description: "largest file, and largest input of a run over HTTP, inflated",
    },
    uploadQuotaBytes: {
      flags: "--upload-quota-bytes <n>",
      env: "RANKMILL_UPLOAD_QUOTA_BYTES",
      type: "integer",
      min: 1,
      default: 2_147_483_648,
      unit: "bytes",
      description: "most bytes of all files of a key",
    },
    uploadTtl: {
      flags: "--upload-ttl <n>",
      env: "RANKMILL_UPLOAD_TTL",
      type: "integer",
      min: 60,
      default: 2_592_000,
      unit: "seconds",
      description: "time for which an uploaded file is kept",
    },
    batchExpiry: {
      flags: "--batch-expiry <n>",
      env: "RANKMILL_BATCH_EXPIRY",
      type: "integer",
      min: 1,
      computedDefault: "none",
      unit: "seconds",
      description: "time after which a batch that is not over is stopped as expired",
    },
  },
} as const satisfies OptionGroup;

export function uploadBounds(values: GroupValues<typeof UPLOADS>): UploadBounds {
  const { maxUploadBytes, uploadQuotaBytes, uploadTtl } = values;
  return { maxUploadBytes, uploadQuotaBytes, uploadTtlSeconds: uploadTtl };
}
