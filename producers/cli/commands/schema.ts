import { Argument, type Command } from "commander";
import { z } from "zod";
import { jsonSchemas } from "../../../src/core/contract.js";
import { runReportSchema } from "../../../src/runs/run-report.js";
import { print } from "../terminal.js";

const WHAT = ["request", "ranking", "status"] as const;

/** `rankmill schema`: the contract as JSON Schema; `docs/schema/` holds the same, formatted. */
export function defineSchema(command: Command): void {
  command
    .addArgument(new Argument("<what>", "the line or document that is described").choices(WHAT))
    .action((what: (typeof WHAT)[number]) => {
      const schemas = { ...jsonSchemas(), status: z.toJSONSchema(runReportSchema) };
      print(JSON.stringify(schemas[what], null, 2));
    });
}
