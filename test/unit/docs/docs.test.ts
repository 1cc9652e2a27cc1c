import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { MAN_PAGE, manPage } from "../../../producers/cli/completion/man-page.js";
import {
  OPTIONS_PAGE,
  optionsPage,
  unusedOptions,
} from "../../../producers/cli/options/options-page.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The repository's own files, without what is installed or built. */
function markdownFiles(folder = ""): string[] {
  const skipped = new Set(["node_modules", "dist", "out", ".git", ".venv"]);
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The anchors as GitHub names them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Links to places in the repository that are not there. */
function brokenLinks(path: string): string[] {
  const text = read(path).replaceAll(/```[\s\S]*?```/g, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = "", anchor] = link.split("#", 2);
    const target = file === "" ? path : join(dirname(path), file);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
  });
}

describe("the manual page", () => {
  it("the manual page shows what the commands take now", async () => {
    expect(read(MAN_PAGE), "npm run docs:man writes it").toBe(await manPage());
  });
});

describe("the page of options", () => {
  it("holds the options that the command line has (npm run docs:options)", async () => {
    expect(read(OPTIONS_PAGE)).toBe(await optionsPage());
  });

  it("holds no option that no command takes", async () => {
    expect(await unusedOptions()).toEqual([]);
  });
});

describe("the documents", () => {
  it.each(markdownFiles())("%s links to what is there", (path) => {
    expect(brokenLinks(path)).toEqual([]);
  });

  it("list every recorded decision", () => {
    const pages = readdirSync(join(root, "docs/decisions")).filter((name) => /^\d{4}-/.test(name));
    const index = read("docs/decisions/README.md");
    expect(pages.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });
});
