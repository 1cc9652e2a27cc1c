import type { FaultKind } from "../fault.js";

const DELAY_MS = 300;

/** The proxy carries one worker and one owner of each run; the others see Redis itself. */
export const NETWORK_FAULTS = {
  "proxy-drop": {
    strike: async ({ proxy }) => await Promise.resolve({ victim: `${proxy.drop()} connections` }),
  },
  "proxy-half-close": {
    strike: async ({ proxy }) =>
      await Promise.resolve({ victim: `${proxy.halfClose()} connections` }),
  },
  "proxy-delay": {
    lasts: [3, 15],
    part: "proxy",
    strike: async ({ proxy }) => {
      proxy.delay(DELAY_MS);
      return await Promise.resolve({ victim: `${DELAY_MS} ms`, heal: () => proxy.restore() });
    },
  },
  "proxy-blackhole": {
    lasts: [3, 20],
    part: "proxy",
    strike: async ({ proxy }) => {
      proxy.blackhole();
      return await Promise.resolve({ victim: "the proxy", heal: () => proxy.restore() });
    },
  },
} as const satisfies Record<string, FaultKind>;
