import type { Command } from "commander";
import type { PrepareEvent } from "../../../src/inference/prepare.js";
import { env, preparedDir, print, requireModel, say } from "../context.js";
import { EXIT } from "../exit-codes.js";
import { commanderOptions, pickValues } from "../option-values.js";

const OPTION_NAMES = ["precision", "modelsDir", "preparedDir", "fullCheck", "json"] as const;

export function addModelsPrepare(models: Command): void {
  const command = models
    .command("prepare")
    .argument("<model>", "name, alias or folder")
    .description("compile a model for this host, so that all lanes share its memory")
    .addHelpText(
      "after",
      `
A worker does the same at its start where it is missing. Prepared files fit the CPU and the runtime
that made them; those of several hosts may share a folder.`,
    )
    .action(async (model: string, parsed: Record<string, unknown>) => {
      process.exitCode = await prepare(model, parsed);
    });
  for (const option of commanderOptions(OPTION_NAMES)) command.addOption(option);
}

async function prepare(name: string, parsed: Record<string, unknown>): Promise<number> {
  const values = pickValues(OPTION_NAMES, parsed);
  const model = await requireModel({ ...values, model: name });
  const { prepareResolved, TMPFS_WARNING } = await import("../../../workers/prepared-model.js");
  const prepared = await prepareResolved({
    model,
    preparedDir: preparedDir(values.preparedDir),
    env,
    fullCheck: values.fullCheck === true,
    onProgress: (event) => say(progressLine(event)),
  });
  if (prepared.onTmpfs) say(TMPFS_WARNING);
  if (values.json === true) {
    print(
      JSON.stringify({
        model: model.name,
        precision: model.precision,
        file: prepared.onnxPath,
        key: prepared.key,
        bytes: prepared.bytes,
        reused: prepared.reused,
        prepare_ms: prepared.prepareMs,
        on_tmpfs: prepared.onTmpfs,
      }),
    );
    return EXIT.ok;
  }
  const how = prepared.reused ? "is prepared already" : `prepared in ${prepared.prepareMs} ms`;
  say(`${model.name} ${model.precision} ${how}, ${prepared.bytes} bytes`);
  print(prepared.onnxPath);
  return EXIT.ok;
}

function progressLine(event: PrepareEvent): string {
  if (event.type === "waiting") return "another process is preparing the model: waiting for it";
  if (event.type === "rebuilding") return `the prepared model is damaged: ${event.reason}`;
  return `preparing ${Math.ceil(event.modelBytes / 1e6)} MB`;
}
