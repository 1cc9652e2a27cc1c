import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The compiled program under test. `RANKMILL_TEST_DIST` names another than the checkout's own: that
 * of an installed package, say.
 */
export const dist = resolve(
  process.env["RANKMILL_TEST_DIST"] ?? fileURLToPath(new URL("../../dist", import.meta.url)),
);
