import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OPENVINO } from "../../../../../src/inference/runtime/openvino/openvino.js";
import { librariesOf, openVinoWheel } from "../../../../../src/models/openvino/openvino-wheels.js";

const WHEEL = openVinoWheel(process.platform, process.arch);

describe.skipIf(WHEEL === undefined)("OpenVINO's libraries on this machine", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rankmill-openvino-"));
    for (const { name, bytes } of WHEEL === undefined ? [] : librariesOf(WHEEL)) {
      await writeFile(join(folder, name), "");
      // A hole takes no space on disk.
      await truncate(join(folder, name), bytes);
    }
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  async function found(): Promise<unknown> {
    return await OPENVINO.find({ setupDirs: { openvino: folder } });
  }

  it("are found if all are there and whole", async () => {
    expect(await found()).toEqual({ status: "works", libraryDir: folder });
  });

  it("are not found if one is missing", async () => {
    await rm(join(folder, "libtbb.so.12"));
    expect(await found()).toMatchObject({ reason: `there is no libtbb.so.12 in ${folder}` });
  });

  it.each([0, 1_000])("are not found if one has %i bytes alone, with what to do", async (bytes) => {
    await truncate(join(folder, "libtbb.so.12"), bytes);
    const state = await found();
    expect(state).toMatchObject({ status: "absent", remedy: 'run "rankmill setup openvino"' });
    expect(state).toMatchObject({
      reason: expect.stringMatching(
        new RegExp(`/libtbb\\.so\\.12 has ${bytes} bytes, and not the \\d+ of OpenVINO `),
      ) as string,
    });
  });
});
