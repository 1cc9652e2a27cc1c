import { describe, expect, it } from "vitest";
import { FOLDER_MAY_SET, isPlainName } from "../../../../producers/cli/config/folder-may-set.js";
import { OPTIONS_BY_NAME } from "../../../../producers/cli/options/all-options.js";

/** Placeholders of addresses, keys and places, and of what leads to one. */
const TRUSTED = /<[^>]*(?:file|dir|path|place|url|address|host|token|id|revision)[^>]*>|port/;
/** Flags that agree to something, remove something, or open a door. */
const CONSENT = /pull|accept|repin|force|allow|trust|export|offline|alias|keys/;

const allowed = [...OPTIONS_BY_NAME].filter(([name]) => FOLDER_MAY_SET.has(name));

describe("the options that a file in the working folder may set", () => {
  it.each(allowed)("%s is no address, key or place", (name, spec) => {
    // The model is a name here: see below.
    expect(name === "model" ? "" : spec.flags).not.toMatch(TRUSTED);
    expect(spec.flags).not.toMatch(CONSENT);
  });

  it("each of them is an option", () => {
    expect([...FOLDER_MAY_SET].filter((name) => !OPTIONS_BY_NAME.has(name))).toEqual([]);
  });

  it.each(["./m", "/m", "../m", "~/m", "a/b/c", "m/", "C:\\m", ""])(
    "a model named %j leads to a place",
    (name) => expect(isPlainName(name)).toBe(false),
  );

  it.each(["builtin-bm25", "BAAI/bge-reranker-v2-m3", "ms-marco-MiniLM-L6-v2"])(
    "a model named %s is a name",
    (name) => expect(isPlainName(name)).toBe(true),
  );
});
