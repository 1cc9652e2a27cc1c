import { expect, it } from "vitest";
import { asDiskFull } from "../../../src/outputs/disk-full.js";

it.each(["ENOSPC", "EDQUOT", "EFBIG"])("a write refused by %s says how to go on", (code) => {
  const raised = Object.assign(new Error(`${code}: no more`), { code, syscall: "write" });
  expect(asDiskFull(raised, "out.jsonl")).toMatchObject({
    message: expect.stringMatching(/out\.jsonl.*run again to go on, what was ranked is kept/),
  });
});
