import type { OptionGroup } from "./option-spec.js";

/** The native libraries that `setup` fetches, and their source. */
export const NATIVE_SETUP = {
  title: "Setup",
  options: {
    withLibraries: {
      flags: "--with-libraries",
      type: "flag",
      description: "fetch NVIDIA's libraries too, 485 MB, for machines without CUDA 13",
    },
    indexUrl: {
      flags: "--index-url <url>",
      env: "RANKMILL_INDEX_URL",
      type: "text",
      computedDefault: "pip's",
      description: "Python package index, or a mirror of one, to fetch from without pip",
    },
    from: {
      flags: "--from <dir>",
      type: "text",
      description: "folder to take the wheels from; no connection is opened",
    },
  },
} as const satisfies OptionGroup;
