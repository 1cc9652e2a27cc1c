import { createHash, randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { z } from "zod";
import { RankmillError } from "../core/errors.js";
import { errnoOf } from "../platform/file-system-errors.js";
import { isAlive } from "../platform/is-alive.js";

/** Answers of file systems without hard links (FAT, some network shares). */
const WITHOUT_LINKS = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);
const DIGEST_CHARS = 16;

const holderSchema = z.object({
  pid: z.int().min(1),
  host: z.string(),
  /** No two locks are equal, though process ids come again. */
  token: z.string().optional(),
});

type Holder = z.infer<typeof holderSchema>;

/** The refusal of a place in which another process works. */
export type Refuse = (holder: Pick<Holder, "pid" | "host">, lock: string) => RankmillError;

/**
 * Keeps a second command from writing the same output: both would append to one file.
 *
 * The lock is a file with the holder's process id. One that a killed command left behind is taken
 * over, by one of those that find it; one from another host can only be removed by hand, since
 * nothing here can tell whether its holder lives.
 *
 * @param refuse the error if another holds it
 * @returns gives the lock back
 * @throws RankmillError `conflict`, or what `refuse` says, if another holds it
 */
export async function lockOutput(
  path: string,
  refuse: Refuse = isBeingWritten,
): Promise<() => Promise<void>> {
  const holder: Holder = { pid: process.pid, host: hostname(), token: randomUUID() };
  const own = JSON.stringify(holder);
  for (;;) {
    if (await create(path, own)) return () => rm(path, { force: true });
    const found = await readText(path);
    if (found === undefined) continue;
    const other = parse(found);
    // An empty one was torn: file systems without links write it in place.
    if (other === undefined && found !== "") throw noLock(path);
    if (other !== undefined && mayLive(other)) throw refuse(other, path);
    if (await takeOver(path, found, own, refuse)) return () => rm(path, { force: true });
  }
}

function isBeingWritten({ pid, host }: Pick<Holder, "pid" | "host">, lock: string): RankmillError {
  return new RankmillError(
    "conflict",
    `another command (process ${pid} on ${host}) is writing this output; if that is not so, delete ${lock}`,
  );
}

/** @returns false if there is a lock */
async function create(path: string, own: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    // Linked, not written in place: a lock must never be seen without its holder.
    await writeFile(temporary, own);
    await link(temporary, path).catch(async (error: NodeJS.ErrnoException) => {
      if (!WITHOUT_LINKS.has(error.code ?? "")) throw error;
      await writeFile(path, own, { flag: "wx" });
    });
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Puts `own` in the place of the lock `dead`. Two that found the same dead lock must not both remove
 * it, the second one the first one's new lock: only who holds a lock on taking over that very one may
 * replace it.
 *
 * @returns false if it is not there any more
 */
async function takeOver(path: string, dead: string, own: string, refuse: Refuse): Promise<boolean> {
  const digest = createHash("sha256").update(dead).digest("hex").slice(0, DIGEST_CHARS);
  const release = await lockOutput(`${path}.${digest}`, refuse);
  try {
    if ((await readText(path)) !== dead) return false;
    const temporary = `${path}.${randomUUID()}`;
    await writeFile(temporary, own);
    await rename(temporary, path);
    return true;
  } finally {
    await release();
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT") return undefined;
    throw new RankmillError(
      "place_unusable",
      `${path} cannot be read (${code ?? String(error)}): delete it if no command is writing this output`,
      { cause: error },
    );
  }
}

/** The refusal of a lock whose owner cannot be told: it is neither taken over nor removed. */
function noLock(path: string): RankmillError {
  return new RankmillError(
    "conflict",
    `${path} is no lock that rankmill wrote, or it is damaged: if no command is writing this output, delete it, else choose another output`,
  );
}

/** @returns undefined for what no command wrote whole */
function parse(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function mayLive({ pid, host }: Holder): boolean {
  if (host !== hostname()) return true;
  return pid !== process.pid && isAlive(pid);
}
