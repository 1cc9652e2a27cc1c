import type { Check } from "../check.js";
import { ok, warning } from "../finding.js";

/** Lanes run on the device that the machine leads one to expect. */
export const device: Check = {
  name: "device",
  needs: "model",
  run: async ({ deviceNote, deviceUnexpected }) =>
    await Promise.resolve(
      deviceUnexpected
        ? [warning(deviceNote, "do as it says, or ask for the CPU to silence this")]
        : [ok(deviceNote)],
    ),
};
