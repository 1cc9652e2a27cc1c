import { describe, expect, it } from "vitest";
import { asJson, describeFinding, summarize } from "../../../producers/cli/doctor-report.js";
import type { Finding } from "../../../src/app/doctor/finding.js";
import { option, wording } from "../../../src/core/wording.js";

const FINDING: Finding = {
  check: "memory",
  level: "warning",
  said: `the folder /${"deep/".repeat(30)} has a path that is wider than any terminal`,
  remedy: wording`ask for fewer lanes with ${option("lanes", 2)}, and for a good deal more memory besides`,
};

describe("a finding on a terminal", () => {
  it("fits 80 columns, with its advice below it", () => {
    const lines = describeFinding(FINDING).split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^warning {2}memory {12}the folder$/);
    expect(lines.join(" ").replaceAll(/\s+/g, " ")).toContain(
      "→ ask for fewer lanes with --lanes 2",
    );
  });
});

describe("a report for scripts", () => {
  it("is one object with flags for options", () => {
    expect(JSON.parse(asJson([FINDING], "warning"))).toMatchObject({
      worst: "warning",
      findings: [{ check: "memory", remedy: expect.stringContaining("--lanes 2") as string }],
    });
  });
});

describe("the sum of a report", () => {
  it("counts each level", () => {
    expect(summarize([FINDING, { check: "disk", level: "ok", said: "fine" }])).toBe(
      "1 ok, 0 notes, 1 warning, 0 problems",
    );
  });
});
