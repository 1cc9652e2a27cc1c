const FIRST_WIDE_CHARACTER = "\u2e80";

/** Text of at most `columns` columns; what is cut ends with `…`. Chinese, Japanese and Korean take two each. */
export function cutText(text: string, columns: number): string {
  let taken = 0;
  // The longest start that leaves room for the mark.
  let start = "";
  for (const character of text) {
    taken += character >= FIRST_WIDE_CHARACTER ? 2 : 1;
    if (taken > columns) return `${start}…`;
    if (taken < columns) start += character;
  }
  return text;
}
