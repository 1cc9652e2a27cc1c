import { open } from "node:fs/promises";
import { expect, it } from "vitest";
import { RankmillError } from "../../../src/core/errors.js";
import { asSystemError } from "../../../producers/cli/system-error.js";

it("a refusal of the operating system is one line that names path, code and what to do", async () => {
  const raised: unknown = await open("/nowhere/at/all").catch((error: unknown) => error);
  expect(asSystemError(raised)).toMatchObject({
    code: "internal",
    message:
      "/nowhere/at/all: was moved or deleted while it was in use: put it back, or start over (ENOENT, open)",
  });
});

it.each(["ENOSPC", "EMFILE", "ENFILE", "EIO", "EDQUOT"])("%s says what to do", (code) => {
  const raised = Object.assign(new Error(code), { code, syscall: "write", errno: -1 });
  expect(asSystemError(raised)).toBeInstanceOf(RankmillError);
});

it.each([
  ["ENAMETOOLONG: name too long, open 'x'", "x: the name is too long"],
  ["EBUSY: resource busy or locked, open 'x'", "x: the system says: resource busy or locked"],
])("every refusal is one line: %s", (raisedMessage, said) => {
  const [code] = raisedMessage.split(":");
  const raised = Object.assign(new Error(raisedMessage), { code, syscall: "open", path: "x" });
  expect(asSystemError(raised)).toMatchObject({ message: expect.stringContaining(said) });
});

it("any other error stays as it is, since its stack trace is needed", () => {
  const raised = new TypeError("a mistake of ours");
  expect(asSystemError(raised)).toBe(raised);
});
