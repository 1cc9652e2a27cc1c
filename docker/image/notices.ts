import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name?: string };
  readonly homepage?: string;
}

const LICENCE_FILE = /^(licen[cs]e|copying|notice|third_party_notices)([.-].*)?$/i;

/** Writes name, version, licence and licence texts of every package that an image holds. */
export function writeNotices(root: string, packages: readonly string[], path: string): void {
  const sections = [...new Set(packages)].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
    const texts = readdirSync(folder)
      .filter((file) => LICENCE_FILE.test(file))
      .map((file) => readFileSync(join(folder, file), "utf8").trim());
    return [headingOf(manifest), ...texts].join("\n\n");
  });
  writeFileSync(path, `${sections.join(`\n\n${"=".repeat(80)}\n\n`)}\n`);
}

function headingOf({ name, version, license, author, homepage }: Manifest): string {
  const by = typeof author === "string" ? author : author?.name;
  return [`${name} ${version}`, `Licence: ${license ?? "see below"}`]
    .concat(by === undefined ? [] : [`Author: ${by}`])
    .concat(homepage === undefined ? [] : [homepage])
    .join("\n");
}
