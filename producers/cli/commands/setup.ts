import type { Command } from "commander";
import { addSetupCuda } from "./setup-cuda.js";
import { addSetupOpenVino } from "./setup-openvino.js";

export function defineSetup(setup: Command): void {
  addSetupCuda(setup);
  addSetupOpenVino(setup);
}
