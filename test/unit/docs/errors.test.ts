import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EXIT_OF_CODE } from "../../../producers/cli/exit-codes.js";
import { ERROR_CODES, type ErrorCode } from "../../../src/core/errors.js";

const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");

describe("docs/errors.md", () => {
  it("lists every code in the order of the code's own table, with retrying and exit code", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\|[^|]+\| (yes|no) +\| (\d+) +\|$/gm)];
    const codes = Object.keys(ERROR_CODES) as ErrorCode[];
    expect(rows.map(([, code, retried, exit]) => [code, retried === "yes", Number(exit)])).toEqual(
      codes.map((code) => [code, ERROR_CODES[code].retried, EXIT_OF_CODE[code]]),
    );
  });
});
