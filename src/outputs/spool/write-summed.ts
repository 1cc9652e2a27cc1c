import { WholeFile } from "../../platform/whole-file.js";
import { sumCell, SUMS_END } from "./checked-lines.js";
import { sumsPathOf } from "./folder-segments.js";

/** Writes a file of lines, and their sums beside it. Both are whole before the lines have their name. */
export async function writeSummed(path: string, lines: AsyncIterable<string>): Promise<void> {
  const sums = await WholeFile.create(sumsPathOf(path));
  const file = await WholeFile.create(path);
  try {
    for await (const line of lines) {
      await file.append(`${line}\n`);
      await sums.append(sumCell(line));
    }
    await sums.append(SUMS_END);
    await sums.close();
    await file.close();
  } catch (error) {
    await sums.discard();
    await file.discard();
    throw error;
  }
}
