import { describe, expect, it } from "vitest";
import { FORMS } from "../../../src/core/forms/registry.js";
import {
  cancelChannel,
  endedChannel,
  fenceCounterKey,
  jobKeys,
  modelRunsKey,
  modelTag,
  queueName,
  runKeys,
} from "../../../src/redis/keys.js";

const KEY = {
  name: "BAAI/bge-reranker-v2-m3",
  revision: "953dc6f6f85a1b2dbfca4c34a2796e7dde08d41e",
  precision: "fp32",
};

/** The part that Redis Cluster hashes: between the first `{` and the next `}`. */
function hashTag(key: string): string {
  return /\{([^}]*)\}/.exec(key)?.[1] ?? "";
}

describe("the tag of a model", () => {
  it("names model, revision, precision and schema in one safe word", () => {
    expect(modelTag(KEY)).toBe("baai-bge-reranker-v2-m3.953dc6f6f85a.fp32.v1");
    for (const name of ["a:b{c}", "模型", "X Y", "/models/dir"]) {
      expect(modelTag({ ...KEY, name })).toMatch(/^[a-z0-9.-]+$/);
    }
  });

  it("has the numeric form behind the precision, and is what it was without one", () => {
    const form = { ...KEY, precision: "int8", form: "rows" };
    expect(modelTag(form)).toBe("baai-bge-reranker-v2-m3.953dc6f6f85a.int8-rows.v1");
    expect(modelTag({ ...KEY, form: undefined })).toBe(modelTag(KEY));
  });

  it("differs with anything that changes a score", () => {
    const tags = [
      modelTag(KEY),
      modelTag({ ...KEY, precision: "int8" }),
      modelTag({ ...KEY, revision: "0".repeat(40) }),
      modelTag({ ...KEY, name: "other" }),
      ...FORMS.map(({ name: form }) => modelTag({ ...KEY, form })),
    ];
    expect(new Set(tags).size).toBe(4 + FORMS.length);
  });

  it("stays short for a long path, and keeps its end", () => {
    const tag = modelTag({ ...KEY, name: `/${"very/".repeat(100)}deep/model-x` });
    expect(tag.length).toBeLessThan(120);
    expect(tag).toContain("deep-model-x.");
  });
});

describe("keys", () => {
  it("lie in one slot if they are of one model, queue and results alike", () => {
    const tag = modelTag(KEY);
    const keys = [
      `rankmill:${queueName(tag, "bulk")}:wait`,
      ...Object.values(jobKeys).map((key) => key(tag, "r1")),
      fenceCounterKey(tag),
      modelRunsKey(tag),
    ];
    expect(new Set(keys.map(hashTag))).toEqual(new Set([tag]));
    expect(new Set(keys).size).toBe(keys.length);
    expect(queueName(tag, "bulk")).not.toBe(queueName(tag, "interactive"));
    expect(queueName(tag, "bulk")).not.toContain(":");
    expect(endedChannel(tag)).not.toBe(cancelChannel(tag));
  });

  it("lie in one slot if they are of one run", () => {
    const keys = [
      runKeys.run("r"),
      runKeys.closed("r"),
      runKeys.chunk("r", 3),
      runKeys.lost("r"),
      runKeys.lease("r"),
    ];
    expect(new Set(keys.map(hashTag))).toEqual(new Set(["run:r"]));
    expect(new Set(keys).size).toBe(5);
  });
});
