/** The image with OpenVINO, and a job that it computes. */
import { mkdtempSync, readFileSync, rmSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { beforeAll, describe, expect, it } from "vitest";
import { openVinoWheel } from "../../src/models/openvino/openvino-wheels.js";
import {
  addedFiles,
  docker,
  dockerAnswers,
  HARDENED,
  inspect,
  ROOT,
  SAMPLE,
  tryDocker,
  variantImage,
} from "./support/docker.js";

const { image: OPENVINO_IMAGE, build } = variantImage("openvino");
const MAX_BYTES = 300_000_000;
const FOLDER = "usr/local/lib/rankmill-openvino";
const BERT = join(ROOT, "test/fixtures/models/bert");
const MEMORY = "1g";
const RECORDS = 4;
/** float32 summed in another order. */
const TOLERANCE = 1e-4;

interface Ranking {
  readonly id: string;
  readonly results: readonly { readonly index: number; readonly logit: number }[];
}

/** Ranks the sample in a container of its own. @returns the logit of each document */
async function logitsIn(image: string, runtime: string): Promise<Map<string, number>> {
  const cache = mkdtempSync(join(tmpdir(), "rankmill-openvino-"));
  chmodSync(cache, 0o777);
  try {
    const args = ["run", "--rm", "-i", ...HARDENED, "--network=none", `--memory=${MEMORY}`];
    const mounts = [`--volume=${BERT}:/models/bert:ro`, `--volume=${cache}:/cache`];
    const rank = ["run", "--model=/models/bert", `--runtime=${runtime}`, "--input=-", "--output=-"];
    const records = readFileSync(SAMPLE, "utf8").split("\n").slice(0, RECORDS);
    const input = `${records.join("\n")}\n`;
    const out = await docker([...args, ...mounts, image, ...rank], { input });
    const rankings = out.split("\n").map((line) => JSON.parse(line) as Ranking);
    return new Map(
      rankings.flatMap(({ id, results }) =>
        results.map(({ index, logit }) => [`${id}/${index}`, logit] as const),
      ),
    );
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

describe.skipIf(!dockerAnswers)("the image with OpenVINO", () => {
  beforeAll(build);

  it("stays within its size", async () => {
    const bytes = Number(await inspect(OPENVINO_IMAGE, "{{.Size}}"));
    process.stderr.write(`${bytes} bytes\n`);
    expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  it("is the other image with OpenVINO's libraries, their licences, and nothing else", async () => {
    const added = await addedFiles(OPENVINO_IMAGE);
    const pinned = openVinoWheel("linux", process.arch)?.files.map(({ name }) => name) ?? [];
    expect(added).toEqual(pinned.map((name) => `${FOLDER}/${name}`).sort());
    expect(pinned.filter((name) => name.startsWith("licenses/")).length).toBeGreaterThan(0);
  });

  it("keeps the other's user and health check", async () => {
    const container = await docker(["create", OPENVINO_IMAGE]);
    const config = JSON.parse(await inspect(container, "{{json .Config}}")) as {
      User: string;
      Healthcheck: { Test: string[] };
    };
    await docker(["rm", container]);
    expect(config.User).toBe("65532:65532");
    expect(config.Healthcheck.Test).toEqual(["CMD", "/app/workers/health.js"]);
  });

  it.each(["/bin/sh", "npm", "python3", "pip"])("has no %s to start", async (program) => {
    const container = await docker([
      "create",
      "--entrypoint",
      program,
      OPENVINO_IMAGE,
      "--version",
    ]);
    const said = await tryDocker(["start", container]);
    await docker(["rm", "--force", container]);
    expect(said.stderr).toMatch(/no such file|not found/i);
  });

  it("ranks a file as ONNX Runtime does, read-only, with no rights and in a gigabyte", async () => {
    const expected = await logitsIn(OPENVINO_IMAGE, "onnxruntime");
    const got = await logitsIn(OPENVINO_IMAGE, "openvino");
    expect([...got.keys()].sort()).toEqual([...expected.keys()].sort());
    const differences = [...got].map(([place, logit]) =>
      Math.abs(logit - (expected.get(place) ?? Number.NaN)),
    );
    expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
    // Another library sums in another order.
    expect(Math.max(...differences)).toBeGreaterThan(0);
  });
});
