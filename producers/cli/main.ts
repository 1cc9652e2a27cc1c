#!/usr/bin/env node
import process from "node:process";
import { unsupportedPlatform } from "./platform-support.js";

const reason = unsupportedPlatform(process.platform);
if (reason === undefined) {
  // Loaded only now: some of its packages do not load on every platform.
  try {
    const { runProgram } = await import("./run-program.js");
    await runProgram(process.argv.slice(2));
  } catch (error) {
    // Without a file for the code of the command there is none for that of its errors either.
    if (!hasNoFileLeft(error)) throw error;
    process.stderr.write(
      `rankmill: this process may open no more files: raise the limit, ulimit -n 1024 (${error.code})\n`,
    );
    process.exitCode = 1;
  }
} else {
  process.stderr.write(`rankmill: ${reason}\n`);
  process.exitCode = 2;
}

function hasNoFileLeft(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "EMFILE" || error.code === "ENFILE")
  );
}
