import { describe, expect, it } from "vitest";
import { ReuseCounter } from "../../../src/telemetry/reuse-counts.js";
import { ignoreWork } from "../../../src/core/work-events.js";
import { CachedTokenizer } from "../../../src/tokenizers/cached-tokenizer.js";
import { CharTokenizer } from "../../support/fakes/tokenizers.js";

const LARGE = 1_000_000;

function parts(capacityBytes = LARGE): { inner: CharTokenizer; cached: CachedTokenizer } {
  const inner = new CharTokenizer();
  return { inner, cached: new CachedTokenizer(inner, capacityBytes, ignoreWork) };
}

async function read(
  cached: CachedTokenizer,
  texts: readonly string[],
  atLeast?: number,
): Promise<string[]> {
  const encoded = await cached.encode(texts, atLeast);
  return encoded.map((ids) => String.fromCharCode(...ids));
}

describe("a tokenizer that remembers", () => {
  it("reads each text once, also if a call has it twice, and keeps the order", async () => {
    const { inner, cached } = parts();
    expect(await read(cached, ["b", "a", "b", ""])).toEqual(["b", "a", "b", ""]);
    expect(await read(cached, ["", "c", "a"])).toEqual(["", "c", "a"]);
    expect(inner.calls.flat()).toEqual(["b", "a", "", "c"]);
    expect(await read(cached, [])).toEqual([]);
  });

  it("never gives cut ids to a caller who needs more, and cuts them for one who needs less", async () => {
    const { inner, cached } = parts();
    expect(await read(cached, ["abcdef"], 2)).toEqual(["abc"]);
    expect(await read(cached, ["abcdef"], 1)).toEqual(["ab"]);
    expect(inner.calls.flat()).toHaveLength(1);
    expect(await read(cached, ["abcdef"], 3)).toEqual(["abcd"]);
    expect(inner.calls.flat()).toHaveLength(2);
    expect(await read(cached, ["abcdef"])).toEqual(["abcdef"]);
    expect(await read(cached, ["abcdef"], 100)).toEqual(["abcdef"]);
    expect(await read(cached, ["abcdef"], 0)).toEqual(["a"]);
    expect(inner.calls.flat()).toHaveLength(3);
  });

  it("knows a short text whole however little was asked for", async () => {
    const { inner, cached } = parts();
    expect(await read(cached, ["ab"], 2)).toEqual(["ab"]);
    expect(await read(cached, ["ab"])).toEqual(["ab"]);
    expect(inner.calls.flat()).toEqual(["ab"]);
  });

  it("holds no more than its bytes: what was used longest ago goes", async () => {
    const { inner, cached } = parts(20_000);
    const texts = Array.from({ length: 200 }, (_, i) => `text ${i}`);
    for (const text of texts) {
      await read(cached, [text, "text 0"]);
      expect(cached.heldBytes).toBeLessThanOrEqual(20_000);
    }
    const before = inner.calls.flat().length;
    await read(cached, ["text 0", "text 199"]);
    expect(inner.calls.flat()).toHaveLength(before);
    await read(cached, ["text 1"]);
    expect(inner.calls.flat().at(-1)).toBe("text 1");
  });

  it("lets no giant drive out the others", async () => {
    const { inner, cached } = parts(20_000);
    await read(cached, ["small"]);
    await read(cached, ["x".repeat(5_000)]);
    await read(cached, ["small"]);
    expect(inner.calls.flat()).toHaveLength(2);
  });

  it("serves calls that overlap", async () => {
    const { cached } = parts(2_000);
    const calls = Array.from({ length: 40 }, (_, i) => [`a${i % 7}`, `b${i % 3}`]);
    const answers = await Promise.all(calls.map((texts) => read(cached, texts)));
    expect(answers).toEqual(calls);
  });

  it("reads a text once for calls that come at the same time, unless one needs more of it", async () => {
    const { inner, cached } = parts();
    const calls = [read(cached, ["abcd", "x"], 2), read(cached, ["y", "abcd"], 2)];
    const more = read(cached, ["abcd"]);
    expect(await Promise.all(calls)).toEqual([
      ["abc", "x"],
      ["y", "abc"],
    ]);
    expect(await more).toEqual(["abcd"]);
    expect(inner.calls.flat()).toEqual(["abcd", "x", "y", "abcd"]);
  });

  it("counts its hits, passes failures on and closes the tokenizer beneath", async () => {
    const reuse = new ReuseCounter();
    const inner = new CharTokenizer();
    const cached = new CachedTokenizer(inner, LARGE, (event) => reuse.count(event));
    await read(cached, ["a", "b"]);
    await read(cached, ["a", "c"]);
    expect(reuse.counts).toMatchObject({ tokenHits: 1, tokenMisses: 3 });
    inner.encode = () => Promise.reject(new Error("thread died"));
    await expect(read(cached, ["d"])).rejects.toThrow("thread died");
    expect(await read(cached, ["a"])).toEqual(["a"]);
    await cached.close();
    expect(inner.closed).toBe(true);
  });
});
