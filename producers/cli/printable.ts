/**
 * Characters that do something to a terminal instead of being shown: control characters, C1 among them,
 * ends of line, and the marks that turn the direction of text.
 */
const ACTIVE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text from a file or a model as one line that a terminal shows and does not obey: `\u001b` for escape. */
export function printable(text: string): string {
  return text.replace(
    ACTIVE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
