import { Argument, type Command } from "commander";
import { jsonSchemas } from "../../../src/core/contract.js";
import { print } from "../context.js";

/** `rankmill schema`: the contract as JSON Schema; `docs/schema/` holds the same bytes. */
export function addSchema(program: Command): void {
  program
    .command("schema")
    .addArgument(new Argument("<what>", "which line").choices(["request", "ranking"]))
    .description("print the JSON Schema of an input or output line")
    .action((what: "request" | "ranking") => {
      print(JSON.stringify(jsonSchemas()[what], null, 2));
    });
}
