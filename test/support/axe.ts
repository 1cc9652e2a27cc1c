/** The rules of accessibility that axe can check, in the page that a browser shows. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { z } from "zod";
import type { Chromium } from "./chromium.js";

const foundSchema = z.array(
  z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

let source: string | undefined;

/** @returns a line per rule that the page breaks, with the elements at fault */
export async function accessibilityFaults(browser: Chromium): Promise<string[]> {
  source ??= await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await browser.evaluate(`${source};0`);
  const found = await browser.evaluate(
    "axe.run().then(({ violations }) => JSON.stringify(violations))",
  );
  const faults = foundSchema.parse(JSON.parse(String(found)));
  return faults.map(
    ({ id, help, nodes }) => `${id}: ${help}\n${nodes.map(({ html }) => html).join("\n")}`,
  );
}
