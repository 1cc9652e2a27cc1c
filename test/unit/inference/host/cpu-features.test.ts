import { describe, expect, it } from "vitest";
import {
  hasInt8Dot,
  parseCpuFlags,
  quantisedHandling,
  type CpuFeatures,
} from "../../../../src/inference/host/cpu-features.js";

// Shortened to what tells these families apart, order as the kernel prints it.
const SAPPHIRE_RAPIDS =
  "fpu sse sse2 ssse3 fma sse4_1 sse4_2 avx f16c rdrand avx2 avx512f avx512dq avx512bw avx512vl avx_vnni avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8";
const ICE_LAKE = "fpu sse sse4_1 fma avx f16c avx2 avx512f avx512dq avx512bw avx512vl avx512_vnni";
const ALDER_LAKE = "fpu sse sse4_1 fma avx f16c avx2 avx_vnni";
const SKYLAKE_SERVER = "fpu sse sse4_1 fma avx f16c avx2 avx512f avx512dq avx512bw avx512vl";
const ZEN_3 = "fpu sse sse4_1 fma avx f16c avx2 sha_ni vaes";
const GRAVITON_2 =
  "fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp";
const CORTEX_A72 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid";

function x64(flags: string): CpuFeatures {
  return machine("x64", `processor\t: 0\nflags\t\t: ${flags}\nbugs\t\t: spectre_v1\n`);
}

function arm64(flags: string): CpuFeatures {
  return machine("arm64", `processor\t: 0\nFeatures\t: ${flags}\n`);
}

function machine(arch: string, cpuinfo: string): CpuFeatures {
  return { arch, flags: parseCpuFlags(cpuinfo), model: "a processor" };
}

describe("reading /proc/cpuinfo", () => {
  it("keeps the flags that choose a kernel, sorted, and nothing else", () => {
    expect(x64(ZEN_3).flags).toEqual(["avx", "avx2", "f16c", "fma", "sse4_1"]);
    expect(arm64(GRAVITON_2).flags).toEqual(["asimd", "asimddp", "asimdhp", "fphp"]);
  });

  it("keeps the flags that all processors have if they are unequal", () => {
    const mixed = `flags : ${ALDER_LAKE}\n\nflags : ${ZEN_3}\n`;
    expect(parseCpuFlags(mixed)).toEqual(["avx", "avx2", "f16c", "fma", "sse4_1"]);
  });

  it("reports that it does not know if there are no flags", () => {
    expect(parseCpuFlags("")).toBeUndefined();
    expect(hasInt8Dot(machine("x64", ""))).toBeUndefined();
    expect(hasInt8Dot(machine("ppc64", "Features : altivec"))).toBeUndefined();
  });
});

describe("int8 on a CPU", () => {
  it.each([
    ["Sapphire Rapids", x64(SAPPHIRE_RAPIDS)],
    ["Ice Lake", x64(ICE_LAKE)],
    ["Alder Lake", x64(ALDER_LAKE)],
    ["Graviton 2", arm64(GRAVITON_2)],
  ])("runs as it is, without a note, if the CPU has dot products (%s)", (_name, cpu) => {
    expect(quantisedHandling("int8", cpu)).toEqual({ exactInt8: false, note: undefined });
  });

  it.each([
    ["Skylake server: AVX-512 without VNNI", x64(SKYLAKE_SERVER)],
    ["Zen 3: AVX2", x64(ZEN_3)],
  ])("needs exact products without VNNI (%s), and the log says why", (_name, cpu) => {
    const handling = quantisedHandling("int8", cpu);
    expect(handling.exactInt8).toBe(true);
    expect(handling.note).toMatch(/no VNNI.*x64quantprecision/);
  });

  it("is slow, not wrong, on an arm64 CPU without dot products", () => {
    const handling = quantisedHandling("int8", arm64(CORTEX_A72));
    expect(handling.exactInt8).toBe(false);
    expect(handling.note).toMatch(/little or no speed/);
  });

  it("is left alone if the CPU's flags are unknown", () => {
    expect(quantisedHandling("int8", machine("x64", "")).exactInt8).toBe(false);
  });
});

describe("other precisions", () => {
  it("fp32 has no note", () => {
    expect(quantisedHandling("fp32", x64(ZEN_3))).toEqual({ exactInt8: false, note: undefined });
  });

  it("uint8 gains no speed, with VNNI or without, and the note says so", () => {
    for (const cpu of [x64(SAPPHIRE_RAPIDS), x64(ZEN_3)]) {
      expect(quantisedHandling("uint8", cpu)).toMatchObject({
        exactInt8: false,
        note: expect.stringMatching(/no speed over fp32.*use int8/) as string,
      });
    }
  });

  it("fp16 is slower than fp32 on x64 alone, and the note says so", () => {
    expect(quantisedHandling("fp16", x64(ICE_LAKE)).note).toMatch(/slower than fp32/);
    expect(quantisedHandling("fp16", arm64(GRAVITON_2)).note).toBeUndefined();
  });
});
