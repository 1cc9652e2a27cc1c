/** Words of the package that reads arguments → ours: the thing, what is wrong with it, what to do. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^unknown option '(.+)'$/, "no option is named $1"],
  [/^unknown command '(.+)'$/, 'no command is named "$1"'],
  [/^missing required argument '(.+)'$/, "<$1> is missing"],
  [/^option '(?:-\w, )?(--[^ ]+).*' argument missing$/, "$1: its value is missing"],
  [
    /^option '(?:-\w, )?(--[^ ]+).*' argument '(.*)' is invalid\. Allowed choices are (.+)\.$/,
    '$1: "$2" is not one of $3',
  ],
  [
    /^command-argument value '(.*)' is invalid for argument '(.+)'\. Allowed choices are (.+)\.$/,
    '<$2>: "$1" is not one of $3',
  ],
  [
    /^option '.+' value '(.*)' from env '(.+)' is invalid\. Allowed choices are (.+)\.$/,
    '$2: "$1" is not one of $3',
  ],
  [
    /^too many arguments for '(.+)'\. Expected (\d+ arguments?) but got (\d+)\.$/,
    "$1 takes $2, not $3; options begin with --",
  ],
];

const GUESS = /^\(Did you mean (?:one of )?(.+)\?\)$/;

/** @param text of an error of the arguments, with or without a guess on a line of its own */
export function sayUsageError(text: string): string {
  const [first = "", ...rest] = text
    .replace(/^error: /, "")
    .trimEnd()
    .split("\n");
  const found = WORDS.find(([words]) => words.test(first));
  const said = found === undefined ? first : first.replace(found[0], found[1]);
  const guess = GUESS.exec(rest[0] ?? "")?.[1];
  const meant = guess?.replace(/, (?=[^,]+$)/, " or ");
  const lines = [meant === undefined ? said : `${said}: did you mean ${meant}?`];
  return [...lines, ...(meant === undefined ? rest : rest.slice(1))].join("\n");
}
