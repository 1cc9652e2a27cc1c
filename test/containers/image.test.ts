import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  docker,
  dockerAnswers,
  filesOf,
  HARDENED,
  IMAGE,
  inspect,
  ROOT,
  SAMPLE,
  tryDocker,
} from "./support/docker.js";

const MAX_BYTES = 200_000_000;
const MAX_COMPRESSED_BYTES = 80_000_000;
const MAX_LAYERS = 5;
const WITH_MODEL = "rankmill-test:with-model";

/** Bytes of what `docker …` writes, gzipped, as a registry would hold it. */
async function gzippedBytes(args: readonly string[]): Promise<number> {
  const child = spawn("docker", args, { stdio: ["ignore", "pipe", "inherit"] });
  let bytes = 0;
  const gzip = child.stdout.pipe(createGzip());
  gzip.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await once(gzip, "end");
  return bytes;
}

async function layersOf(image: string): Promise<number> {
  return Number(await inspect(image, "{{len .RootFS.Layers}}"));
}

describe.skipIf(!dockerAnswers)("the image for CPUs", () => {
  let files: string[] = [];
  beforeAll(async () => {
    files = await filesOf(IMAGE);
  });

  it("stays within its size, as it is, compressed, and in layers", async () => {
    const bytes = Number(await inspect(IMAGE, "{{.Size}}"));
    const layers = await layersOf(IMAGE);
    const compressed = await gzippedBytes(["save", IMAGE]);
    process.stderr.write(`${bytes} bytes, ${compressed} gzipped, ${layers} layers\n`);
    expect(bytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(compressed).toBeLessThanOrEqual(MAX_COMPRESSED_BYTES);
    expect(layers).toBeLessThanOrEqual(MAX_LAYERS);
  });

  it.each(["/bin/sh", "/bin/bash", "/busybox/sh", "npm", "apt-get", "gcc"])(
    "has no %s to start",
    async (program) => {
      const container = await docker(["create", "--entrypoint", program, IMAGE, "--version"]);
      const said = await tryDocker(["start", container]);
      await docker(["rm", "--force", container]);
      expect(said.stderr).toMatch(/no such file|not found/i);
      expect(said.code).not.toBe(0);
    },
  );

  it("holds what is loaded and nothing else", () => {
    const unwanted =
      /(^|\/)(sh|bash|dash|busybox|npm|npx|apt|apt-get|dpkg|gcc|cc)$|\.(map|ts|test\.js|dylib|dll)$|onnxruntime-web|sharp|@img|transformers|\/test\/|darwin|win32|musl|providers_(cuda|tensorrt)/;
    expect(files.filter((path) => unwanted.test(path))).toEqual([]);
    const natives = files.filter((path) => path.endsWith(".node"));
    expect(natives).toHaveLength(3);
    expect(files).toContain("app/THIRD-PARTY-NOTICES.txt");
    expect(files).toContain("app/LICENSE");
  });

  it("describes itself, and runs as a user with a number and no name", async () => {
    const labels = JSON.parse(await inspect(IMAGE, "{{json .Config.Labels}}")) as object;
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      version: string;
    };
    expect(labels).toMatchObject({
      "org.opencontainers.image.title": "rankmill",
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.licenses": "Apache-2.0",
    });
    expect(await inspect(IMAGE, "{{.Config.User}}")).toBe("65532:65532");
    expect(await docker(["run", "--rm", IMAGE, "--version"])).toBe(version);
  });

  it("runs without a network, a writable file system or any capability", async () => {
    const program = `
      const { readFileSync, writeFileSync } = require("node:fs");
      let wrote = "written";
      try { writeFileSync("/app/x", ""); } catch (error) { wrote = error.code; }
      const status = readFileSync("/proc/self/status", "utf8");
      console.log(JSON.stringify({ wrote, uid: process.getuid(), caps: /CapEff:\\s*(\\w+)/.exec(status)[1], privileges: /NoNewPrivs:\\s*(\\d)/.exec(status)[1] }));`;
    const args = ["run", "--rm", ...HARDENED, "--network=none", "--entrypoint=node"];
    expect(JSON.parse(await docker([...args, IMAGE, "-e", program]))).toEqual({
      wrote: "EROFS",
      uid: 65_532,
      caps: "0000000000000000",
      privileges: "1",
    });
  });

  it("reranks a file with nothing else on the machine", async () => {
    const folder = ["--network=none", "--tmpfs=/cache:mode=1777"];
    const rerank = ["run", "--model=builtin-bm25", "--input=-", "--output=-"];
    const out = await docker(["run", "--rm", "-i", ...HARDENED, ...folder, IMAGE, ...rerank], {
      input: readFileSync(SAMPLE),
    });
    expect(out.split("\n")).toHaveLength(54);
  });

  it("is unhealthy until a worker reports that it is ready", async () => {
    const container = await docker(["create", ...HARDENED, IMAGE, "health"]);
    const said = await tryDocker(["start", "--attach", container]);
    const code = await inspect(container, "{{.State.ExitCode}}");
    await docker(["rm", container]);
    expect(said.stdout).toContain("no worker says that it is ready");
    expect(code).toBe("1");
  });
});

describe.skipIf(!dockerAnswers)("an image with its model inside", () => {
  beforeAll(async () => {
    const model = join(ROOT, "test/fixtures/models/bert");
    const args = ["--build-arg", `RANKMILL_IMAGE=${IMAGE}`, "--build-arg", "MODEL=/models"];
    await docker(["build", "-f", "docker/with-model.Dockerfile", ...args, "-t", WITH_MODEL, model]);
  });
  afterAll(async () => {
    await tryDocker(["rmi", WITH_MODEL]);
  });

  it("is one layer more, and scores with the model if it is started without arguments", async () => {
    expect(await layersOf(WITH_MODEL)).toBe((await layersOf(IMAGE)) + 1);
    const input = `${JSON.stringify({ id: "1", query: "q", documents: ["a", "b", "c"] })}\n`;
    const args = ["run", "--rm", "-i", ...HARDENED, "--network=none", WITH_MODEL];
    const out = await docker([...args, "run", "--input=-", "--output=-"], { input });
    const ranking = JSON.parse(out) as { results: unknown[] };
    expect(ranking.results).toHaveLength(3);
  });
});
