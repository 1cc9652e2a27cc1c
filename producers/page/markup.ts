/** HTML whose inserted texts are escaped. */
export class Markup {
  readonly text: string;

  /** @param text is HTML already */
  constructor(text: string) {
    this.text = text;
  }
}

type Insert = string | number | Markup | readonly Markup[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A piece of HTML; what is inserted is text unless it is Markup. */
export function markup(pieces: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  const text = pieces.map((piece, place) => {
    const insert = place < inserts.length ? inserts[place] : undefined;
    return piece + shown(insert);
  });
  return new Markup(text.join(""));
}

function shown(insert: Insert): string {
  if (insert === undefined) return "";
  if (insert instanceof Markup) return insert.text;
  if (typeof insert === "object") return insert.map(({ text }) => text).join("");
  return escaped(String(insert));
}

/** Text in which nothing is a tag, an entity or the end of an attribute. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}

/** Paragraphs with code in backticks, as descriptions have them. */
export function prose(text: string): Markup[] {
  return text.split("\n\n").map((paragraph) => markup`<p>${phrase(paragraph)}</p>`);
}

/** A line with code in backticks. */
export function phrase(text: string): Markup[] {
  return text
    .split("`")
    .map((part, place) => (place % 2 === 0 ? markup`${part}` : markup`<code>${part}</code>`));
}
