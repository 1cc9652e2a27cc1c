import { describe, expect, it } from "vitest";
import {
  numbersName,
  sameNumbers,
  workerCommand,
  type Numbers,
} from "../../../../src/core/forms/numbers.js";
import { FORMS } from "../../../../src/core/forms/registry.js";
import { PRECISIONS } from "../../../../src/core/precision.js";

describe("the numbers of a model", () => {
  it("have a name in which nothing but letters, digits and one hyphen stand", () => {
    expect(numbersName({ precision: "int8" })).toBe("int8");
    for (const { name } of FORMS) {
      expect(numbersName({ precision: "int8", form: name })).toMatch(/^int8-[a-z0-9]+$/);
    }
  });

  it("have different names if precision or form differ", () => {
    const forms = [undefined, ...FORMS.map(({ name }) => name)];
    const names = PRECISIONS.flatMap((precision) =>
      forms.map((form) => numbersName({ precision, form })),
    );
    expect(new Set(names).size).toBe(PRECISIONS.length * forms.length);
  });

  it("say how a worker that serves them is started", () => {
    expect(commandOf({ precision: "fp32" })).toBe("rankmill worker --model m --precision fp32");
    expect(commandOf({ precision: "int8" })).toMatch(/ --precision int8 --int8-form file$/);
    expect(commandOf({ precision: "int8", form: "rows" })).toMatch(/ int8 --int8-form rows$/);
    expect(commandOf({ precision: "fp32", form: "openvino" })).toMatch(/ --runtime openvino$/);
    expect(commandOf({ precision: "fp32", form: "of-a-later-version" })).toMatch(/ fp32$/);
  });

  it("are the same only in the same form", () => {
    expect(sameNumbers({ precision: "int8" }, { precision: "int8", form: undefined })).toBe(true);
    expect(sameNumbers({ precision: "int8" }, { precision: "int8", form: "rows" })).toBe(false);
  });
});

function commandOf(numbers: Numbers): string {
  return workerCommand({ name: "m", ...numbers });
}
