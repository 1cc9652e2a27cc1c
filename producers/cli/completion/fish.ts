import type { OutlinedCommand, OutlinedOption } from "./outline.js";
import { quotedWord } from "./quote.js";

/** Completion for fish, with descriptions. */
export function fishCompletion(commands: readonly OutlinedCommand[]): string {
  const names = commands.map(({ name }) => name).filter((name) => name !== "");
  const lines = commands.flatMap(({ name, options, children, choices }) => {
    const start = `complete -c rankmill -n ${quotedWord(`__rankmill_at ${name}`.trim())}`;
    return [
      ...children.map((one) => `${start} -f -a ${one.name} -d ${quotedWord(one.description)}`),
      ...(choices.length === 0 ? [] : [`${start} -f -a ${quotedWord(choices.join(" "))}`]),
      ...options.map((option) => `${start} ${optionWords(option)}`),
    ];
  });
  return `# fish completion for rankmill: rankmill completion fish > ~/.config/fish/completions/rankmill.fish
function __rankmill_at
  set -l at
  for word in (commandline -opc)
    if contains -- (string join -- ' ' $at $word) ${names.map(quotedWord).join(" ")}
      set -a at $word
    end
  end
  test "$at" = "$argv"
end
${lines.join("\n")}
`;
}

function optionWords({ names, value, description }: OutlinedOption): string {
  const flags = names.map((name) =>
    name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const takes = {
    none: "",
    file: " -r",
    text: " -x",
    choice: value.kind === "choice" ? ` -x -a ${quotedWord(value.choices.join(" "))}` : "",
  }[value.kind];
  return `${flags.join(" ")}${takes} -d ${quotedWord(description)}`;
}
