/** A text as one word of bash, zsh and fish, in which nothing has a meaning. */
export function quotedWord(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "’")}'`;
}

/** A name of ours, which holds letters, blanks, colons and hyphens alone, as a pattern. */
export function quotedPattern(name: string): string {
  return `'${name}'`;
}
