/**
 * `npm run release:pack`: makes the package in `release/`, beside it the list of all packages that it
 * brings (CycloneDX) and their licences. It fails if a licence is not one of the known permissive ones.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import { makePackage } from "./make-package.js";

const PERMISSIVE = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

const licence = z.union([
  z.object({ license: z.object({ id: z.string().optional(), name: z.string().optional() }) }),
  z.object({ expression: z.string() }),
]);
const bom = z.object({
  components: z.array(
    z.object({ name: z.string(), version: z.string(), licenses: z.array(licence).default([]) }),
  ),
});

/** What npm installs with the package on this platform, as CycloneDX JSON. */
function billOfMaterials(tarball: string): string {
  const project = mkdtempSync(join(tmpdir(), "rankmill-release-"));
  try {
    writeFileSync(join(project, "package.json"), '{"name":"user-of-rankmill","version":"1.0.0"}');
    const flags = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund"];
    execFileSync("npm", ["install", ...flags, tarball], { cwd: project });
    // As installed: peers of one's own choice are not part of it.
    return execFileSync("npm", ["sbom", "--sbom-format", "cyclonedx"], {
      cwd: project,
      encoding: "utf8",
    });
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

function licenceOf(entry: z.infer<typeof licence>): string {
  if ("expression" in entry) return entry.expression;
  return entry.license.id ?? entry.license.name ?? "";
}

/** `(MIT OR GPL-3.0)` is permissive, `MIT AND GPL-3.0` is not. */
function isPermissive(expression: string): boolean {
  const choices = expression.replace(/[()]/g, "").split(" OR ");
  return choices.some((choice) => choice.split(" AND ").every((id) => PERMISSIVE.has(id.trim())));
}

const folder = join(process.cwd(), "release");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const { version, tarball, files } = makePackage(process.cwd(), folder);
rmSync(join(folder, "package"), { recursive: true });

const materials = billOfMaterials(tarball);
writeFileSync(join(folder, `rankmill-${version}.cdx.json`), materials);
const components = bom
  .parse(JSON.parse(materials))
  .components.map(({ licenses, ...component }) => ({
    ...component,
    licence: licenses.map(licenceOf).join(" AND "),
  }));
const lines = components.map(({ name, version: of, licence: id }) => `${name}@${of}\t${id}`);
writeFileSync(join(folder, "licences.tsv"), `${lines.sort().join("\n")}\n`);

process.stdout.write(`${tarball}: ${files.length} files, ${components.length} packages\n`);
const others = components.filter(({ licence: id }) => !isPermissive(id));
for (const { name, licence: id } of others)
  process.stderr.write(`${name} has the licence "${id}", which is not known to be permissive\n`);
process.exitCode = others.length === 0 ? 0 : 1;
