import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { dropRepeatedInitializers } from "../../../../src/inference/prepare/repair-graph.js";

const DEBERTA = fileURLToPath(
  new URL("../../../fixtures/models/deberta-v2/onnx/model.onnx", import.meta.url),
);
const FIELD = { graph: 7, node: 1, initializer: 5, attribute: 5, subgraph: 6, name: 8 };

/** A field of bytes, of at most 127. */
function field(number: number, ...content: (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((each) => Buffer.from(each)));
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}

function weights(...names: string[]): Buffer[] {
  return names.map((name) => field(FIELD.initializer, field(FIELD.name, name)));
}

/** A graph with weights of its own and an `If` whose branch has some as well. */
function model(outer: string[], inner: string[]): Buffer {
  const version = Buffer.from([8, 9]);
  const branch = field(FIELD.attribute, field(FIELD.subgraph, ...weights(...inner)));
  return Buffer.concat([
    version,
    field(FIELD.graph, field(FIELD.node, branch), ...weights(...outer)),
  ]);
}

describe("weights that the runtime wrote twice", () => {
  it("are dropped in a branch, the first of each kept", () => {
    const written = model(["a", "b"], ["c", "d", "c", "d"]);
    expect(dropRepeatedInitializers(written)).toEqual(model(["a", "b"], ["c", "d"]));
  });

  it("may have the name of others in the graph around", () => {
    const written = model(["a"], ["a"]);
    expect(dropRepeatedInitializers(written)).toEqual(written);
  });

  it("are not looked for in vain: a sound file comes back as it is", async () => {
    const sound = await readFile(DEBERTA);
    expect(dropRepeatedInitializers(sound)).toBe(sound);
  });

  it("are not looked for in a file that ends too early", async () => {
    const sound = await readFile(DEBERTA);
    expect(() => dropRepeatedInitializers(sound.subarray(0, 5000))).toThrow(RangeError);
  });
});
