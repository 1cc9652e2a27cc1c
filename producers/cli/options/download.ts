import { HUB_ENDPOINT } from "../../../src/models/pull/hub-client.js";
import type { GroupValues, OptionGroup } from "./option-spec.js";

/** The hub that models are fetched from, and what may be fetched. */
export const DOWNLOAD = {
  title: "Download",
  options: {
    revision: {
      flags: "--revision <revision>",
      type: "text",
      computedDefault: "the pinned one",
      description: "branch, tag or commit of the hub's repository",
    },
    acceptLicence: {
      flags: "--accept-licence",
      type: "flag",
      description: "accept the model's non-commercial licence, which you have read",
    },
    repin: {
      flags: "--repin",
      type: "flag",
      description: "replace the model's pinned hashes by those of the hub's present files",
    },
    offline: { flags: "--offline", type: "flag", description: "open no connection" },
    hubEndpoint: {
      flags: "--hub-endpoint <url>",
      env: "HF_ENDPOINT",
      type: "text",
      computedDefault: HUB_ENDPOINT,
      description: "address of the hub or of a mirror",
    },
    hubToken: {
      flags: "--hub-token <token>",
      env: "HF_TOKEN",
      type: "text",
      description: "access token for gated models",
    },
  },
} as const satisfies OptionGroup;

export type DownloadValues = GroupValues<typeof DOWNLOAD>;
