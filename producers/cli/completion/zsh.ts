import type { OutlinedCommand } from "./outline.js";
import { quotedPattern } from "./quote.js";
import { valueCases } from "./value-cases.js";

/** Completion for zsh, with descriptions. */
export function zshCompletion(commands: readonly OutlinedCommand[]): string {
  const names = commands.map(({ name }) => name).filter((name) => name !== "");
  const values = valueCases(commands).map(({ value, patterns }) => {
    const act =
      value.kind === "choice"
        ? `compadd -- ${value.choices.map((one) => `'${one}'`).join(" ")}`
        : "_files";
    return `    (${patterns.map(quotedPattern).join("|")}) ${act}; return ;;`;
  });
  const options = commands.map(({ name, options }) => {
    const items = options.flatMap((one) => one.names.map((flag) => item(flag, one.description)));
    return `      (${quotedPattern(name)}) found=(${items.join(" ")}) ;;`;
  });
  const children = commands
    .filter((one) => one.children.length + one.choices.length > 0)
    .map(({ name, children, choices }) => {
      const items = [
        ...children.map((one) => item(one.name, one.description)),
        ...choices.map((one) => item(one, "")),
      ];
      return `      (${quotedPattern(name)}) found=(${items.join(" ")}) ;;`;
    });
  return `#compdef rankmill
# zsh completion for rankmill: rankmill completion zsh > a file _rankmill in a folder of $fpath
_rankmill() {
  local at='' word prev=$words[CURRENT-1]
  local -i i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    word=\${at:+$at }$words[i]
    case $word in
      (${names.map(quotedPattern).join("|")}) at=$word ;;
    esac
  done
  case $at:$prev in
${values.join("\n")}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    case $at in
${options.join("\n")}
    esac
    _describe -o option found
  else
    case $at in
${children.join("\n")}
      (*) _files; return ;;
    esac
    _describe command found
  fi
}
if [ "$funcstack[1]" = "_rankmill" ]; then
  _rankmill "$@"
else
  compdef _rankmill rankmill
fi
`;
}

function item(name: string, description: string): string {
  const text = description.replaceAll("'", "’").replaceAll("\\", "");
  return text === "" ? `'${name}'` : `'${name}:${text.replaceAll(":", String.raw`\:`)}'`;
}
