/** docker-compose.yml, .env.example and the options tell the same story. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Command } from "commander";
import { defineRunner } from "../../../producers/cli/commands/runner.js";
import { defineServe } from "../../../producers/cli/commands/serve.js";
import { defineWorker } from "../../../producers/cli/commands/worker.js";
import { DEVICE } from "../../../producers/cli/options/device.js";
import { LANES } from "../../../producers/cli/options/lanes.js";
import { MODEL } from "../../../producers/cli/options/model.js";
import type { OptionSpec } from "../../../producers/cli/options/option-spec.js";
import { WORKER } from "../../../producers/cli/options/worker.js";
import { ALL_OPTIONS } from "../../../producers/cli/options/all-options.js";

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

const compose = read("docker-compose.yml");
const image = read("docker/cpu.Dockerfile");
/** The image has places of its own for what workers keep. */
const OF_A_WORKER = [MODEL, DEVICE, LANES, WORKER]
  .flatMap(({ options }): OptionSpec[] => Object.values(options))
  .flatMap(({ env }) => env ?? [])
  .filter((name) => !image.includes(name));
/** `${NAME:-default}`, and the names that are passed on if they are set. */
const interpolated = new Map(
  [...compose.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name = "", value = ""]) => [name, value]),
);
const passedOn = [...compose.matchAll(/^ +- ([A-Z]+_[A-Z\d_]+)$/gm)].map(([, name = ""]) => name);
const examples = new Map(
  [...read(".env.example").matchAll(/^#(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [
    name,
    value,
  ]),
);

describe("settings of docker-compose.yml", () => {
  it("are all in .env.example, and nothing else is", () => {
    expect([...examples.keys()].sort()).toEqual(
      [...new Set([...interpolated.keys(), ...passedOn])].sort(),
    );
  });

  it("have the same defaults in .env.example", () => {
    for (const [name, value] of interpolated)
      expect([name, examples.get(name)]).toEqual([name, value]);
  });

  it("have the defaults of the options in .env.example, if these are known beforehand", () => {
    const defaults = ALL_OPTIONS.flatMap((spec) =>
      spec.env === undefined || !("default" in spec) || !passedOn.includes(spec.env)
        ? []
        : [[spec.env, String(spec.default)]],
    );
    expect(defaults.length).toBeGreaterThan(10);
    for (const [name = "", value] of defaults)
      expect([name, examples.get(name)]).toEqual([name, value]);
  });

  it.each([
    // Folders lie where the image has them, under /cache; a tokenizer has one implementation there;
    // this image's device is the CPU.
    [
      "worker",
      defineWorker,
      [
        "RANKMILL_CALIBRATION_DIR",
        "RANKMILL_CUDA_DIR",
        "RANKMILL_DEVICE",
        "RANKMILL_DEVICE_FALLBACK",
        "RANKMILL_OPENVINO_DIR",
        "RANKMILL_PREPARED_DIR",
        // Certificates are files: who has them mounts them and sets these.
        "RANKMILL_REDIS_CA",
        "RANKMILL_REDIS_CERT",
        "RANKMILL_REDIS_KEY",
        "RANKMILL_TOKENIZER",
      ],
    ],
    [
      "gateway",
      defineServe,
      // It listens where other containers reach it, and on REDIS_URL it starts no worker.
      [
        ...OF_A_WORKER,
        "RANKMILL_ALLOWED_HOST",
        "RANKMILL_REDIS_CA",
        "RANKMILL_REDIS_CERT",
        "RANKMILL_REDIS_KEY",
        "RANKMILL_STATE_DIR",
        "RANKMILL_TLS_CERT",
        "RANKMILL_TLS_KEY",
      ].sort(),
    ],
    ["runner", defineRunner, ["RANKMILL_REDIS_CA", "RANKMILL_REDIS_CERT", "RANKMILL_REDIS_KEY"]],
  ])("reach a %s wherever it has an environment variable for them", (service, define, but) => {
    const command = new Command();
    define(command);
    const variables = command.options.flatMap(({ envVar }) => envVar ?? []);
    const described = new RegExp(`\\n {2}${service}:.*\\n[\\s\\S]*?(?=\\n {2}[\\w-]+:)`).exec(
      compose,
    )?.[0];
    const unreached = variables.filter(
      (name) => described?.includes(name) !== true && !image.includes(name),
    );
    expect(unreached.sort()).toEqual(but);
  });

  it("name no variable that rankmill does not know", () => {
    const known = new Set(ALL_OPTIONS.map(({ env }) => env));
    // No options, for they would stand in the list of processes.
    known.add("RANKMILL_DASHBOARD_PASSWORD").add("RANKMILL_API_KEY");
    expect(passedOn.filter((name) => !known.has(name))).toEqual([]);
  });
});
