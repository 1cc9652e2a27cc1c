/**
 * OpenVINO's libraries, pinned: of its publisher's wheel those alone that the CPU plugin, the reader of ONNX files
 * and the reader of compiled models load. `docker/pin-wheels.py` prints these pins.
 */
import type { NativeFile, NativeWheel } from "../native/native-wheel.js";

export const OPENVINO_VERSION = "2026.4.1";

/** Its C library, which loads the others that lie beside it. */
export const OPENVINO_C = "libopenvino_c.so.2641";

/** By Node's name of the architecture; all of them for Linux. */
const WHEELS: Readonly<Record<string, NativeWheel>> = {
  x64: {
    project: "openvino",
    version: OPENVINO_VERSION,
    name: "openvino-2026.4.1-22982-cp312-cp312-manylinux_2_28_x86_64.whl",
    bytes: 59_144_434,
    sha256: "6b4375c17ddcac83a5180349e2e2bb811185c261066e2a920659892d58ef0e3b",
    files: [
      {
        name: "libopenvino.so.2641",
        offset: 5_736_643,
        compressedBytes: 7_142_740,
        bytes: 20_526_937,
        sha256: "9b9a80ac1f18e07b13ed54459d9a865bcfe9dc170dbf8fe740c2974b85ecedc1",
      },
      {
        name: "libopenvino_c.so.2641",
        offset: 13_240_666,
        compressedBytes: 125_262,
        bytes: 377_505,
        sha256: "d2d0836d422b21fc5da2739af0d6035df3fc6dd5e4756402eb848974edecf8a5",
      },
      {
        name: "libopenvino_intel_cpu_plugin.so",
        offset: 14_187_005,
        compressedBytes: 17_559_421,
        bytes: 63_691_929,
        sha256: "6599e3dd300d047b5ed72f8e48101c5f312c25321f35f57f803641ff8372900b",
      },
      {
        name: "libopenvino_ir_frontend.so.2641",
        offset: 51_123_998,
        compressedBytes: 256_760,
        bytes: 640_313,
        sha256: "554e9fd3d4a0fbc587c14379464b2324e24b8ea736cfb749ad2cd9e74dfc09e0",
      },
      {
        name: "libopenvino_onnx_frontend.so.2641",
        offset: 51_554_937,
        compressedBytes: 2_507_800,
        bytes: 6_827_321,
        sha256: "82d499f5b5e8514def7aaa1ecd5a9f570542d33ae9d00a0077f707cccd0e0192",
      },
      {
        name: "libtbb.so.12",
        offset: 58_467_649,
        compressedBytes: 130_101,
        bytes: 369_313,
        sha256: "ac9518497a4f2cb6729792730f145ee58367316031511923fef263c9ac81ca61",
      },
      {
        name: "licenses/openvino-LICENSE",
        offset: 58_966_588,
        compressedBytes: 3_948,
        bytes: 11_357,
        sha256: "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4",
      },
      {
        name: "licenses/openvino-onednn_third-party-programs.txt",
        offset: 58_970_644,
        compressedBytes: 9_049,
        bytes: 28_475,
        sha256: "f1b16991dfe8488f3f5f07cccba575c31c91175a9f2c8d9e1569665f86e0b2f6",
      },
      {
        name: "licenses/openvino-onetbb_third-party-programs.txt",
        offset: 58_979_801,
        compressedBytes: 14_738,
        bytes: 46_979,
        sha256: "b10997cc50652ba6ab365e3bc43e13057681cd4a56533b46171529bd249749f3",
      },
      {
        name: "licenses/openvino-runtime-third-party-programs.txt",
        offset: 58_994_648,
        compressedBytes: 14_125,
        bytes: 120_451,
        sha256: "caf4040a8c3043c9fdc7638ccc61078b40ce623e69e3bcd2bc544ae70a368b2f",
      },
    ],
  },
  arm64: {
    project: "openvino",
    version: OPENVINO_VERSION,
    name: "openvino-2026.4.1-22982-cp312-cp312-manylinux_2_35_aarch64.whl",
    bytes: 30_332_437,
    sha256: "82efccb2f9f1bdc7e5a1996e05a3b719ebff9232dd54b44150d6d2e983a86b7d",
    files: [
      {
        name: "libopenvino.so.2641",
        offset: 3_684_692,
        compressedBytes: 5_868_430,
        bytes: 17_135_873,
        sha256: "4a4ce9bb19ab78288b36ff39cbfebf1307c6b1ffda953b0c2b32129a8e89f04a",
      },
      {
        name: "libopenvino_arm_cpu_plugin.so",
        offset: 9_553_195,
        compressedBytes: 12_582_514,
        bytes: 44_571_169,
        sha256: "839cb0653151d0962e13a129b7b1ad2ffc700b5a1472e847cdcb83e523cf424e",
      },
      {
        name: "libopenvino_c.so.2641",
        offset: 22_443_318,
        compressedBytes: 106_000,
        bytes: 356_801,
        sha256: "dfb34063847add4fe0689583633e74b69d7844e9e5a4b085476b0861c0b28f51",
      },
      {
        name: "libopenvino_ir_frontend.so.2641",
        offset: 23_254_741,
        compressedBytes: 202_008,
        bytes: 554_009,
        sha256: "0c1e737e93e78b5ffaf854d830140d2d84046847e19cd5226a1aff1c56be4431",
      },
      {
        name: "libopenvino_onnx_frontend.so.2641",
        offset: 23_606_702,
        compressedBytes: 2_196_842,
        bytes: 5_845_145,
        sha256: "2ea8eb7270401e9a1ccf4de9f5fc4bcb3177d00f431a8e9bfa24dfe19b7a4578",
      },
      {
        name: "libtbb.so.12",
        offset: 29_690_668,
        compressedBytes: 91_949,
        bytes: 274_601,
        sha256: "07ad125a3e19dbc40cf74ea6d4bd4c67ad7df5aaff9611178eea99592bc7a921",
      },
      {
        name: "licenses/openvino-LICENSE",
        offset: 30_154_986,
        compressedBytes: 3_948,
        bytes: 11_357,
        sha256: "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4",
      },
      {
        name: "licenses/openvino-onednn_third-party-programs.txt",
        offset: 30_159_042,
        compressedBytes: 9_049,
        bytes: 28_475,
        sha256: "f1b16991dfe8488f3f5f07cccba575c31c91175a9f2c8d9e1569665f86e0b2f6",
      },
      {
        name: "licenses/openvino-onetbb_third-party-programs.txt",
        offset: 30_168_199,
        compressedBytes: 14_738,
        bytes: 46_979,
        sha256: "b10997cc50652ba6ab365e3bc43e13057681cd4a56533b46171529bd249749f3",
      },
      {
        name: "licenses/openvino-runtime-third-party-programs.txt",
        offset: 30_183_046,
        compressedBytes: 14_125,
        bytes: 120_451,
        sha256: "caf4040a8c3043c9fdc7638ccc61078b40ce623e69e3bcd2bc544ae70a368b2f",
      },
    ],
  },
};

/** @returns undefined for a machine that OpenVINO is not set up on */
export function openVinoWheel(platform: string, arch: string): NativeWheel | undefined {
  return platform === "linux" && Object.hasOwn(WHEELS, arch) ? WHEELS[arch] : undefined;
}

/** The libraries among a wheel's files. */
export function librariesOf({ files }: NativeWheel): readonly NativeFile[] {
  return files.filter(({ name }) => name.startsWith("lib"));
}
