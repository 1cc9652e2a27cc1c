import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { Precision } from "../../core/precision.js";

/** The features that decide which of ONNX Runtime's kernels run here, and how weights are packed. */
export interface CpuFeatures {
  /** Node's name of it: `x64`, `arm64`. */
  readonly arch: string;
  /**
   * The Linux kernel's names, only those in {@link KERNEL_FLAGS}; sorted. Undefined if the
   * system does not tell (no /proc/cpuinfo).
   */
  readonly flags: readonly string[] | undefined;
  /** Stands in for the flags if there are none. */
  readonly model: string;
}

/** Instruction sets that ONNX Runtime's matrix kernels (MLAS) look for. */
const KERNEL_FLAGS: ReadonlySet<string> = new Set([
  // x64
  "sse4_1",
  "avx",
  "f16c",
  "fma",
  "avx2",
  "avx512f",
  "avx512bw",
  "avx512dq",
  "avx512vl",
  "avx512_vnni",
  "avx512_bf16",
  "avx512_fp16",
  "avx_vnni",
  "avx_vnni_int8",
  "avx_ne_convert",
  "amx_tile",
  "amx_int8",
  "amx_bf16",
  "amx_fp16",
  // arm64
  "asimd",
  "asimddp",
  "asimdhp",
  "fphp",
  "bf16",
  "i8mm",
  "sve",
  "sve2",
  "svei8mm",
  "sme",
  "sme2",
]);

/** Any of them multiplies bytes and adds four products in 32 bits, without saturating. */
const INT8_DOT_FLAGS: Readonly<Record<string, readonly string[]>> = {
  x64: ["avx512_vnni", "avx_vnni", "amx_int8"],
  arm64: ["asimddp", "i8mm"],
};

export async function readCpuFeatures(): Promise<CpuFeatures> {
  const text = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  return {
    arch: process.arch,
    flags: parseCpuFlags(text),
    model: cpus()[0]?.model ?? "unknown",
  };
}

/**
 * @param cpuinfo text of /proc/cpuinfo
 * @returns the flags that count, sorted; of several processors those that all have: a lane may run
 *   on any. Undefined if the text names none
 */
export function parseCpuFlags(cpuinfo: string): readonly string[] | undefined {
  let common: Set<string> | undefined;
  // x64 has a line "flags", arm64 "Features".
  for (const [, listed = ""] of cpuinfo.matchAll(/^(?:flags|Features)[ \t]*:(.*)$/gm)) {
    const flags = listed.trim().split(/\s+/);
    common = new Set(flags.filter((flag) => common?.has(flag) ?? KERNEL_FLAGS.has(flag)));
  }
  return common === undefined ? undefined : [...common].sort();
}

/** Undefined if the system does not say. */
export function hasInt8Dot(cpu: CpuFeatures): boolean | undefined {
  const wanted = INT8_DOT_FLAGS[cpu.arch];
  if (wanted === undefined || cpu.flags === undefined) return undefined;
  const { flags } = cpu;
  return wanted.some((flag) => flags.includes(flag));
}

/** Any of them multiplies pairs of bf16 numbers. */
const BF16_FLAGS: ReadonlySet<string> = new Set(["avx512_bf16", "amx_bf16"]);

/** @returns why products cannot be computed in bf16 on this CPU; undefined if they can */
export function whyNoBf16({ arch, flags }: CpuFeatures): string | undefined {
  if (arch !== "x64") return `bf16 is computed on x64 only, this is ${arch}`;
  if (flags?.some((flag) => BF16_FLAGS.has(flag)) === true) return undefined;
  return "this CPU has no bf16 (neither AVX512_BF16 nor AMX_BF16)";
}

export interface QuantisedHandling {
  /**
   * True if the session needs `session.x64quantprecision`. Without VNNI, x64 multiplies unsigned
   * activations by signed weights in pairs that saturate at 16 bits: scores come out wrong, not only
   * coarse. With it the runtime turns such weights into unsigned ones, whose kernels are exact: the
   * same scores to the bit as on a CPU with VNNI (measured), at about fp32's speed. Weights of
   * reduced range (±64) cannot saturate; the runtime leaves them as they are.
   */
  readonly exactInt8: boolean;
  /** One line for the log: what this precision gains or loses on this CPU. */
  readonly note: string | undefined;
}

/**
 * The way in which a model file of `precision` runs on this CPU.
 *
 * Speeds are rankmill's own measurements: signed int8 2.2 to 5 times fp32 with VNNI or AMX, unsigned
 * int8 no faster than fp32, fp16 half of fp32's speed on x64.
 */
export function quantisedHandling(precision: Precision, cpu: CpuFeatures): QuantisedHandling {
  const note = noteOn(precision, cpu);
  const exactInt8 = precision === "int8" && cpu.arch === "x64" && hasInt8Dot(cpu) === false;
  return { exactInt8, note };
}

function noteOn(precision: Precision, cpu: CpuFeatures): string | undefined {
  if (precision === "fp16" && cpu.arch === "x64") {
    return "fp16 on an x64 CPU is slower than fp32: use fp32 or int8";
  }
  if (precision === "uint8") {
    return "uint8 weights gain memory but no speed over fp32 on this CPU: use int8 if the model has it";
  }
  if (precision !== "int8" || hasInt8Dot(cpu) !== false) return undefined;
  return cpu.arch === "x64"
    ? "this CPU has no VNNI: int8 runs with exact products (session.x64quantprecision), right but about as slow as fp32"
    : "this CPU has no int8 dot product: int8 gains memory, little or no speed";
}
