/** Every port has a suite, and every fake passes one. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const REPOSITORY = join(import.meta.dirname, "../..");
const FAKES = join("test", "support", "fakes");

/** Ports without a suite of their own, and where they are held. */
const HELD_ELSEWHERE: Readonly<Record<string, string>> = {
  // It opens the spools that this suite is run on.
  "spool-kind": "spool.suite.ts",
};

function filesIn(folder: string): string[] {
  const entries = readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(REPOSITORY, join(entry.parentPath, entry.name)));
}

function textOf(path: string): string {
  return readFileSync(join(REPOSITORY, path), "utf8");
}

function upper(_match: string, letter: string): string {
  return letter.toUpperCase();
}

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, found]) => (found === undefined ? [] : [found]));
}

const PORTS = filesIn("src/core/ports");
const SUITES = filesIn("test/conformance");

describe("a port", () => {
  it.each(PORTS.map((path) => basename(path, ".ts")))("%s has a suite that is run", (port) => {
    const suite = HELD_ELSEWHERE[port] ?? `${port}.suite.ts`;
    expect(SUITES.map((path) => basename(path))).toContain(suite);
    const users = SUITES.filter((path) => path.endsWith(".test.ts"));
    expect(users.some((path) => textOf(path).includes(suite.replace(/ts$/, "js")))).toBe(true);
  });

  it("is implemented by no test outside of the fakes", () => {
    const ports = PORTS.map((path) => `-${basename(path, ".ts")}`.replaceAll(/-(.)/g, upper));
    for (const [i, path] of PORTS.entries()) {
      expect(textOf(path)).toContain(`export interface ${ports[i] ?? ""} {`);
    }
    const implemented = new RegExp(
      `implements [\\w, ]*\\b(${ports.join("|")})\\b|: (?:${ports.join("|")}) = \\{`,
    );
    const outside = filesIn("test").filter(
      (path) => !path.startsWith(FAKES) && implemented.test(textOf(path)),
    );
    expect(outside).toEqual([]);
  });
});

describe("a fake", () => {
  const fakes = filesIn(FAKES).flatMap((path) =>
    all(textOf(path), /^export class (\w+).* (?:implements|extends) /gm),
  );

  it.each(fakes)("%s runs the suite of its port", (name) => {
    const tests = SUITES.filter((path) => path.endsWith(".test.ts")).map(textOf);
    expect(tests.some((text) => text.includes(`new ${name}(`))).toBe(true);
  });
});
