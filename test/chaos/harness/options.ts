import { parseArgs } from "node:util";
import { z } from "zod";
import { FAULT_KINDS } from "./fault-kinds.js";

export const PLANTS = [
  "lose-result",
  "double-result",
  "no-fence",
  "leak-key",
  "stuck-run",
] as const;

const DEFAULT_RECORDS = 600;
const DEFAULT_STANDSTILL_SECONDS = 60;
const DEFAULT_GIVE_UP_SECONDS = 300;

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults come; the run that is under way then comes to its end. */
  readonly minutes: number;
  /** Records of each round. */
  readonly records: number;
  readonly kinds: readonly string[];
  /** A log of faults to strike again. */
  readonly replay?: string | undefined;
  readonly plant?: (typeof PLANTS)[number] | undefined;
  /** Bound of the longest standstill; Infinity on a machine that stalls by itself. */
  readonly standstillSeconds: number;
  /** A run that stands still for so long is given up as stuck. */
  readonly giveUpSeconds: number;
}

export const USAGE = `npm run chaos -- [options]
  --seed S           input and faults are drawn from it (default: drawn from the clock, and printed)
  --minutes M        how long faults come, one every 2 s (default 10)
  --records N        records of each round (default ${DEFAULT_RECORDS})
  --kinds A,B,…      only these faults: ${Object.keys(FAULT_KINDS).join(" ")}
  --replay FILE      the faults of this log, which an earlier run has written
  --plant NAME       breaks rankmill: ${PLANTS.join(" ")}
  --standstill S     bound of the longest standstill in seconds (default ${DEFAULT_STANDSTILL_SECONDS})
  --give-up S        a run that stands still for so long is stuck (default ${DEFAULT_GIVE_UP_SECONDS})`;

const number = z.coerce.number().positive();

const schema = z.object({
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .default(() => Date.now() % 2 ** 31),
  minutes: number.default(10),
  records: number.default(DEFAULT_RECORDS),
  kinds: z
    .string()
    .transform((line) => line.split(","))
    .pipe(z.array(z.enum(Object.keys(FAULT_KINDS))))
    .default(Object.keys(FAULT_KINDS)),
  replay: z.string().optional(),
  plant: z.enum(PLANTS).optional(),
  standstill: number.default(DEFAULT_STANDSTILL_SECONDS),
  "give-up": number.default(DEFAULT_GIVE_UP_SECONDS),
});

/** @throws Error with what is wrong and the usage */
export function readChaosOptions(args: readonly string[]): ChaosOptions {
  const text = { type: "string" } as const;
  const names = ["seed", "minutes", "records", "kinds", "replay", "plant", "standstill", "give-up"];
  const { values } = parseArgs({
    args: [...args],
    options: Object.fromEntries(names.map((name) => [name, text])),
  });
  const read = schema.safeParse(values);
  if (!read.success) throw new Error(`${z.prettifyError(read.error)}\n${USAGE}`);
  const { standstill, "give-up": giveUpSeconds, ...others } = read.data;
  return { ...others, standstillSeconds: standstill, giveUpSeconds };
}
