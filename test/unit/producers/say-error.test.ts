import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ALL_OPTIONS, OPTIONS_BY_NAME } from "../../../producers/cli/options/all-options.js";
import { reasonWithFlags, sayError, withFlags } from "../../../producers/cli/say-error.js";
import { DEFAULT_LIMITS, parseRequest } from "../../../src/core/contract.js";
import { option, wording } from "../../../src/core/wording.js";

const src = fileURLToPath(new URL("../../../src/", import.meta.url));

function sources(): { path: string; text: string }[] {
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({ path, text: readFileSync(join(src, path), "utf8") }));
}

describe("an error on the command line", () => {
  it("names options by their flags", () => {
    let thrown: unknown;
    try {
      const documents = Array.from({ length: DEFAULT_LIMITS.maxDocuments + 1 }, () => "d");
      parseRequest({ id: "a", query: "q", documents }, DEFAULT_LIMITS, 100);
    } catch (error) {
      thrown = error;
    }
    expect(sayError(thrown)).toBe(
      "documents: has 10001 documents, over the limit of 10000 (--max-documents)",
    );
  });

  it("keeps names that the command line does not have, and texts of others", () => {
    expect(withFlags(wording`${option("telemetry")}: no`)).toBe("telemetry: no");
    expect(sayError(new TypeError("odd --flag"))).toBe("odd --flag");
  });
});

describe("the library", () => {
  it("mentions options of the command line alone, so that each gets its flag", () => {
    const mentioned = sources().flatMap(({ text }) =>
      [...text.matchAll(/\boption\("(\w+)"/g)].map(([, name = ""]) => name),
    );
    expect(mentioned.length).toBeGreaterThan(20);
    expect(mentioned.filter((name) => !OPTIONS_BY_NAME.has(name))).toEqual([]);
  });

  it("holds no flag in its texts", () => {
    const flags = ALL_OPTIONS.map(({ flags: all }) => all.split(" ", 1)[0] ?? all);
    const pattern = new RegExp(`(?<![\\w-])(?:${flags.join("|")})(?![\\w-])`);
    const found = sources().flatMap(({ path, text }) =>
      text
        .split("\n")
        // Comments may name flags, and so may commands that are quoted whole.
        .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line) && !/rankmill [a-z]+ /.test(line))
        .filter((line) => pattern.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });
});

describe("a reason of a failed record", () => {
  it("names the flag, and leaves alone what is no option", () => {
    expect(reasonWithFlags("has 5 characters, over the limit of 1 (maxDocumentChars)")).toBe(
      "has 5 characters, over the limit of 1 (--max-document-chars)",
    );
    const other = 'id: "a (model)" and (someThing) stay';
    expect(reasonWithFlags(other)).toBe(other);
  });
});
