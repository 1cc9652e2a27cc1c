import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { makeFolder } from "../../../src/platform/files.js";

it("a folder is made with those above it, and one that is there stays", async () => {
  const root = await mkdtemp(join(tmpdir(), "rankmill-folder-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const path = join(root, "a/b/c");
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(root, "a/b"))]);
  expect((await stat(path)).isDirectory()).toBe(true);
  await writeFile(join(root, "file"), "");
  await expect(makeFolder(join(root, "file"))).rejects.toThrow("EEXIST");
  await expect(makeFolder(join(root, "file/below"))).rejects.toThrow("ENOTDIR");
});

it.runIf(process.platform === "linux")(
  "a folder below /proc, which takes none, is refused at once",
  async () => {
    await expect(makeFolder("/proc/rankmill/cache")).rejects.toThrow("ENOENT");
  },
);
