/** Lists of texts as Python prints them: what pandas and numpy write into a cell of a table. */

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\n": "" };
/** A text in either kind of quotes, and what separates it from the next: a comma, or blanks alone. */
const ITEM = /(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:,\s*)?/sy;
const ESCAPE = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|(.))/gis;

/** @returns undefined for what is no list of texts */
export function pythonList(text: string): string[] | undefined {
  const inner = /^\[\s*(.*)\]$/s.exec(text.trim())?.[1];
  if (inner === undefined) return undefined;
  const items: string[] = [];
  let at = 0;
  while (at < inner.length) {
    ITEM.lastIndex = at;
    const [whole, single, double] = ITEM.exec(inner) ?? [];
    if (whole === undefined) return undefined;
    items.push(unescaped(single ?? double ?? ""));
    at += whole.length;
  }
  return items;
}

function unescaped(text: string): string {
  return text.replaceAll(
    ESCAPE,
    (whole, byte?: string, short?: string, long?: string, one?: string) => {
      const hex = byte ?? short ?? long;
      if (hex === undefined)
        return ESCAPES[one ?? ""] ?? (/[\\'"]/.test(one ?? "") ? (one ?? "") : whole);
      const code = Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
