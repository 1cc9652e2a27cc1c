#!/usr/bin/env node
/**
 * The answer of `rankmill health` by itself: a container asks for it every few seconds, and this
 * loads one small file instead of the whole command line.
 */
import process from "node:process";
import { describeHealth, readHealth } from "../src/telemetry/health-file.js";

const now = Date.now();
const health = await readHealth(process.env["RANKMILL_HEALTH_FILE"] ?? "", now);
process.stdout.write(`${describeHealth(health, now)}\n`);
process.exitCode = health.fit ? 0 : 1;
