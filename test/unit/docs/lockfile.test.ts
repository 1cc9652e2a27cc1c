/** The lockfile, as `npm ci` reads it on the oldest Node that is supported. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";

const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.looseObject({
      engines: z.looseObject({ node: z.string().optional() }).or(z.array(z.string())).optional(),
      optional: z.boolean().optional(),
    }),
  ),
});

it("no package asks for a newer Node than 20.19, so that npm ci prints no warning (decision 0004)", () => {
  const path = new URL("../../../package-lock.json", import.meta.url);
  const { packages } = lockfile.parse(JSON.parse(readFileSync(path, "utf8")));
  const newer = Object.entries(packages).filter(([, { engines, optional }]) => {
    if (optional === true || engines === undefined || Array.isArray(engines)) return false;
    // `>=22`, `^22.1.0`; not `^20.19.0 || >=22.12.0`.
    return engines.node?.split("||").every((range) => /^\s*(>=|\^|~)?\s*v?2[1-9]/.test(range));
  });
  expect(newer.map(([name]) => name)).toEqual([]);
});
