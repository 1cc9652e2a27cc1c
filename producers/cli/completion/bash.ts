import type { OutlinedCommand } from "./outline.js";
import { quotedPattern } from "./quote.js";
import { valueCases } from "./value-cases.js";

/** Completion for bash. Without a word of ours bash completes names of files. */
export function bashCompletion(commands: readonly OutlinedCommand[]): string {
  const names = commands.map(({ name }) => name).filter((name) => name !== "");
  const values = valueCases(commands).map(({ value, patterns }) => {
    const words = value.kind === "choice" ? value.choices.join(" ") : "";
    return `    ${patterns.map(quotedPattern).join("|")}) ${words === "" ? "return" : `words='${words}'`} ;;`;
  });
  const options = commands.map(
    ({ name, options }) =>
      `      ${quotedPattern(name)}) words='${options.flatMap((one) => one.names).join(" ")}' ;;`,
  );
  const children = commands
    .map(
      ({ name, children, choices }) =>
        [name, [...children.map((one) => one.name), ...choices]] as const,
    )
    .filter(([, words]) => words.length > 0)
    .map(([name, words]) => `      ${quotedPattern(name)}) words='${words.join(" ")}' ;;`);
  return `# bash completion for rankmill: source <(rankmill completion bash)
_rankmill() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} at='' words='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${at:+$at }\${COMP_WORDS[i]}
    case $word in
      ${names.map(quotedPattern).join("|")}) at=$word ;;
    esac
  done
  # bash takes --option=value for three words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  case $at:$prev in
${values.join("\n")}
  esac
  if [[ $words == '' && $cur == -* ]]; then
    case $at in
${options.join("\n")}
    esac
  elif [[ $words == '' ]]; then
    case $at in
${children.join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _rankmill rankmill
`;
}
