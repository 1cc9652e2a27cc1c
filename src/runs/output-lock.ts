import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { RankmillError } from "../core/errors.js";

/** What file systems without hard links answer (FAT, some network shares). */
const WITHOUT_LINKS = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Keeps a second command from writing the same output: both would append to one file.
 *
 * The lock is a file with the holder's process id. One that a killed command left behind is taken
 * over; one from another host can only be removed by hand, since nothing here can tell whether its
 * holder lives.
 *
 * @returns gives the lock back
 * @throws RankmillError `usage` where another holds it
 */
export async function lockOutput(path: string): Promise<() => Promise<void>> {
  const holder: Holder = { pid: process.pid, host: hostname() };
  const temporary = `${path}.${randomUUID()}`;
  for (;;) {
    try {
      // Linked, not written in place: a lock must never be seen without its holder.
      await writeFile(temporary, JSON.stringify(holder));
      await link(temporary, path).catch(async (error: NodeJS.ErrnoException) => {
        if (!WITHOUT_LINKS.has(error.code ?? "")) throw error;
        await writeFile(path, JSON.stringify(holder), { flag: "wx" });
      });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      await rm(temporary, { force: true });
    }
    const other = await readHolder(path);
    if (other !== undefined && isAlive(other)) {
      throw new RankmillError(
        "usage",
        `another command (process ${other.pid} on ${other.host}) is writing this output; where that is not so, delete ${path}`,
      );
    }
    await rm(path, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, host }: Holder): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
