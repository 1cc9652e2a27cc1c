#!/usr/bin/env node
import process from "node:process";
import { unsupportedPlatform } from "./platform-support.js";

const reason = unsupportedPlatform(process.platform);
if (reason === undefined) {
  // Loaded only now: some of its packages do not load on every platform.
  const { runProgram } = await import("./run-program.js");
  await runProgram(process.argv.slice(2));
} else {
  process.stderr.write(`rankmill: ${reason}\n`);
  process.exitCode = 2;
}
