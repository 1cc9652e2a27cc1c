#!/usr/bin/env node
import process from "node:process";
import { unsupportedPlatform } from "./platform-support.js";

/** Far more than the code of any command needs, and far less than any system gives by default. */
const FEW_FILES = 200;

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
  if (!(error instanceof Error) || !("code" in error)) return false;
  const { code } = error;
  // Without a file for a package's description Node calls the package missing.
  if (code === "ERR_MODULE_NOT_FOUND") return fileLimit() < FEW_FILES;
  return code === "EMFILE" || code === "ENFILE";
}

/** The number of files that this process may open; infinite if that is not known. */
function fileLimit(): number {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } };
  };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Infinity;
}
