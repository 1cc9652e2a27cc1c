#!/usr/bin/env node
/** A worker: serves the queues of one model until it is told to stop. The same as `rankmill worker`, options and environment included. */
import process from "node:process";
import { runProgram } from "../producers/cli/run-program.js";

await runProgram(["worker", ...process.argv.slice(2)]);
