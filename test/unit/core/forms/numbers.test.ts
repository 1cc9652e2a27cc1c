import { describe, expect, it } from "vitest";
import { numbersFlags, numbersName, sameNumbers } from "../../../../src/core/forms/numbers.js";
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
    expect(numbersFlags({ precision: "fp32" })).toBe("--precision fp32");
    expect(numbersFlags({ precision: "int8" })).toBe("--precision int8 --int8-form file");
    expect(numbersFlags({ precision: "int8", form: "rows" })).toBe(
      "--precision int8 --int8-form rows",
    );
    expect(numbersFlags({ precision: "fp32", form: "of-a-later-version" })).toBe(
      "--precision fp32",
    );
  });

  it("are the same only in the same form", () => {
    expect(sameNumbers({ precision: "int8" }, { precision: "int8", form: undefined })).toBe(true);
    expect(sameNumbers({ precision: "int8" }, { precision: "int8", form: "rows" })).toBe(false);
  });
});
