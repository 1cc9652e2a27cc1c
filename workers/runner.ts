#!/usr/bin/env node
/** A runner: feeds spooled runs to the workers and collects their rankings. The same as `rankmill runner`, options and environment included. */
import process from "node:process";
import { runProgram } from "../producers/cli/run-program.js";

await runProgram(["runner", ...process.argv.slice(2)]);
