import { join, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dirname, "../..");
/** Collections, tokenizers and golden files that are too large for the repository. */
export const DATA = resolve(
  process.env["RANKMILL_TEST_DATA"] ?? join(REPOSITORY, "../shared/data"),
);
