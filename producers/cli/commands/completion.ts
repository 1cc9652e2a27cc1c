import { Argument, type Command } from "commander";
import { loadCatalogue } from "../../../src/models/catalogue-files.js";
import { packageRoot } from "../../../src/platform/package-root.js";
import { bashCompletion } from "../completion/bash.js";
import { fishCompletion } from "../completion/fish.js";
import { outline, type OutlinedCommand } from "../completion/outline.js";
import { zshCompletion } from "../completion/zsh.js";
import { addHelp } from "../options/add-help.js";
import { print } from "../terminal.js";

const SHELLS = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} as const satisfies Record<string, (commands: readonly OutlinedCommand[]) => string>;

export function defineCompletion(command: Command): void {
  command
    .addArgument(new Argument("<shell>", "the shell that completes").choices(Object.keys(SHELLS)))
    .action(async (shell: keyof typeof SHELLS) => {
      // Loaded only here: the other commands come with it.
      const { createProgram } = await import("../program.js");
      print(SHELLS[shell](outline(await createProgram(), await modelNames())).trimEnd());
    });
  addHelp(command, {
    examples: [
      "source <(rankmill completion bash)",
      "rankmill completion zsh > ~/.zfunc/_rankmill",
      "rankmill completion fish > ~/.config/fish/completions/rankmill.fish",
    ],
  });
}

/** The names of the catalogue that people type. */
async function modelNames(): Promise<string[]> {
  const catalogue = await loadCatalogue(packageRoot());
  return catalogue.map(({ id, aliases }) => (id.includes("/") ? (aliases[0] ?? id) : id));
}
