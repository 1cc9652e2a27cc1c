/**
 * The folder of one prepared model: `model.onnx`, `model.onnx.data`, `prepared.json` (what they are)
 * and `checked.json` (when they were last read in full).
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { DATA_NAME, GRAPH_NAME, PREPARED_FORMAT } from "./prepare-key.js";
import { parseChecksummed, withChecksum } from "../../platform/checksummed-json.js";
import { exists, syncPath } from "../../platform/files.js";

const MANIFEST_NAME = "prepared.json";
const CHECKED_NAME = "checked.json";
const READ_ONLY = 0o444;
const READ_BYTES = 1 << 20;

const manifestSchema = z.object({
  format: z.literal(PREPARED_FORMAT),
  key: z.string(),
  modelDigest: z.string(),
  /** The parts of the key, for people. */
  runtime: z.string(),
  arch: z.string(),
  cpuFlags: z.array(z.string()).optional(),
  preparedAt: z.string(),
  prepareMs: z.number(),
  /** See `LaneModel.unmasked`. */
  unmasked: z.boolean(),
  files: z.record(
    z.enum([GRAPH_NAME, DATA_NAME]),
    z.object({ bytes: z.number(), sha256: z.string() }),
  ),
});
export type PreparedManifest = z.infer<typeof manifestSchema>;

/** The stamp of each file when its hash was last found right. */
const checkedSchema = z.record(z.string(), z.string());

export type PreparedState =
  | { readonly status: "good"; readonly manifest: PreparedManifest; readonly bytes: number }
  | { readonly status: "missing" }
  | { readonly status: "damaged"; readonly reason: string };

/**
 * Whether the folder holds exactly what was prepared under `key`.
 *
 * Sizes are checked each time. The files are hashed in full (about 1 GB/s) if `full`, and if
 * anything about them changed since they were last hashed: size, modification or change time, or
 * inode. A program that flips a byte changes one of these, and so does a copy or a restored file;
 * a failing disk does not, for which there is `full`.
 */
export async function inspectPrepared(
  folder: string,
  key: string,
  full: boolean,
): Promise<PreparedState> {
  if (!(await exists(folder))) return { status: "missing" };
  try {
    const text = await readFile(join(folder, MANIFEST_NAME), "utf8");
    const manifest = manifestSchema.parse(parseChecksummed(text));
    if (manifest.key !== key) return damaged(`was made under the key ${manifest.key}`);
    const checked = full ? {} : await readChecked(folder);
    const stamps: Record<string, string> = {};
    let bytes = 0;
    let learnt = false;
    for (const [name, wanted] of Object.entries(manifest.files)) {
      const path = join(folder, name);
      const found = await stampOf(path);
      if (found.bytes !== wanted.bytes) {
        return damaged(`${name} has ${found.bytes} bytes instead of ${wanted.bytes}`);
      }
      if (checked[name] !== found.stamp) {
        if ((await hashFile(path)) !== wanted.sha256) return damaged(`${name} was changed`);
        learnt = true;
      }
      stamps[name] = found.stamp;
      bytes += found.bytes;
    }
    if (learnt) await writeChecked(folder, stamps);
    return { status: "good", manifest, bytes };
  } catch (error) {
    return damaged(error instanceof z.ZodError ? `${MANIFEST_NAME} cannot be read` : text(error));
  }
}

/**
 * Describes, write-protects and syncs the two files of a folder that is not published yet.
 *
 * @throws what the file system refuses; a full disk may show only here
 */
export async function sealPrepared(
  folder: string,
  about: Omit<PreparedManifest, "format" | "files" | "preparedAt">,
): Promise<void> {
  const files: PreparedManifest["files"] = {
    [GRAPH_NAME]: await seal(join(folder, GRAPH_NAME)),
    [DATA_NAME]: await seal(join(folder, DATA_NAME)),
  };
  const manifest: PreparedManifest = {
    format: PREPARED_FORMAT,
    ...about,
    preparedAt: new Date().toISOString(),
    files,
  };
  const path = join(folder, MANIFEST_NAME);
  await writeFile(path, `${JSON.stringify(withChecksum(manifest), undefined, 2)}\n`, {
    mode: READ_ONLY,
  });
  await syncPath(path);
  const stamps: Record<string, string> = {};
  for (const name of Object.keys(files)) stamps[name] = (await stampOf(join(folder, name))).stamp;
  await writeChecked(folder, stamps);
  await syncPath(folder);
}

async function seal(path: string): Promise<{ bytes: number; sha256: string }> {
  await syncPath(path);
  await chmod(path, READ_ONLY);
  const { bytes } = await stampOf(path);
  return { bytes, sha256: await hashFile(path) };
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash);
  return hash.digest("hex");
}

async function stampOf(path: string): Promise<{ stamp: string; bytes: number }> {
  const info = await stat(path, { bigint: true });
  // The device is left out: hosts that share the folder number it differently.
  const stamp = [info.size, info.mtimeNs, info.ctimeNs, info.ino].join(":");
  return { stamp, bytes: Number(info.size) };
}

/** Damaged or absent it costs the time of a hash, nothing else. */
async function readChecked(folder: string): Promise<Record<string, string>> {
  try {
    return checkedSchema.parse(JSON.parse(await readFile(join(folder, CHECKED_NAME), "utf8")));
  } catch {
    return {};
  }
}

async function writeChecked(folder: string, stamps: Record<string, string>): Promise<void> {
  const temporary = join(folder, `${CHECKED_NAME}.${randomUUID()}`);
  try {
    await writeFile(temporary, JSON.stringify(stamps));
    await rename(temporary, join(folder, CHECKED_NAME));
  } catch {
    // A read-only cache works all the same, slower at each start.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function damaged(reason: string): PreparedState {
  return { status: "damaged", reason };
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
