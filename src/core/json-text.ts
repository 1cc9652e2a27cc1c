/**
 * JSON as text, for values that must be given back as they came: a parser makes doubles of all numbers
 * and drops what an object cannot hold.
 */

const BLANK = /\s/;
const PLAIN_END = /[\s,\]}:]/g;

/**
 * The members of an object as they stand in its text: the name, and the text of the value.
 *
 * @param text JSON that a parser has taken, an object
 */
export function membersOf(text: string): Map<string, string> {
  return new Map(eachMember(text));
}

/** Objects within each other that are looked into: the body of a line, its documents, and what those hold. */
const MOST_DEPTH = 3;

/**
 * The place of a member that stands twice in its object: a parser takes the last one in silence.
 *
 * @param text JSON that a parser has taken, an object
 * @param opaque names of members whose insides are nobody's business
 * @returns `query`, or `documents[2].text`
 */
export function repeatedMember(
  text: string,
  opaque: ReadonlySet<string> = new Set(),
  depth = 1,
): string | undefined {
  const names = new Set<string>();
  for (const [name, value] of eachMember(text)) {
    if (names.has(name)) return name;
    names.add(name);
    if (depth >= MOST_DEPTH || opaque.has(name)) continue;
    const inner = repeatedWithin(value, opaque, depth + 1);
    if (inner !== undefined) return `${name}${inner}`;
  }
  return undefined;
}

/** The place within an object or a list of objects: `.text`, or `[2].text`. */
function repeatedWithin(
  value: string,
  opaque: ReadonlySet<string>,
  depth: number,
): string | undefined {
  if (value.startsWith("{")) {
    const inner = repeatedMember(value, opaque, depth);
    return inner === undefined ? undefined : `.${inner}`;
  }
  // Lists of texts, which most are, need not be gone through.
  if (!value.startsWith("[") || !value.includes("{")) return undefined;
  let index = 0;
  for (const item of eachItem(value)) {
    const inner = item.startsWith("{") ? repeatedMember(item, opaque, depth) : undefined;
    if (inner !== undefined) return `[${index}].${inner}`;
    index += 1;
  }
  return undefined;
}

function* eachItem(list: string): Generator<string> {
  let at = skipBlanks(list, 1);
  while (at < list.length && list[at] !== "]") {
    const end = valueEnd(list, at);
    yield list.slice(at, end);
    at = skipBlanks(list, end);
    if (list[at] === ",") at = skipBlanks(list, at + 1);
  }
}

function* eachMember(text: string): Generator<[name: string, value: string]> {
  let at = skipBlanks(text, text.indexOf("{") + 1);
  while (at < text.length && text[at] === '"') {
    const nameEnd = stringEnd(text, at);
    const name = String(JSON.parse(text.slice(at, nameEnd)));
    const start = skipBlanks(text, text.indexOf(":", nameEnd) + 1);
    const end = valueEnd(text, start);
    yield [name, text.slice(start, end)];
    at = skipBlanks(text, end);
    if (text[at] === ",") at = skipBlanks(text, at + 1);
  }
}

/**
 * The same JSON on one line without blanks, its strings as `JSON.stringify` writes them; numbers, and
 * the order of members, as they were.
 *
 * @param text JSON that a parser has taken
 */
export function compactJson(text: string): string {
  const parts: string[] = [];
  for (let at = skipBlanks(text, 0); at < text.length; at = skipBlanks(text, at)) {
    const end = tokenEnd(text, at);
    const token = text.slice(at, end);
    parts.push(token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token);
    at = end;
  }
  return parts.join("");
}

/**
 * The text of a value that a parser has altered: numbers beyond doubles, names that an object cannot
 * hold or would put in another order.
 *
 * @returns undefined if the value says the same
 */
export function alteredText(text: string, value: unknown): string | undefined {
  const compact = compactJson(text);
  return compact === JSON.stringify(value) ? undefined : compact;
}

function tokenEnd(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return stringEnd(text, at);
  if (first !== undefined && "{}[],:".includes(first)) return at + 1;
  PLAIN_END.lastIndex = at;
  return PLAIN_END.test(text) ? PLAIN_END.lastIndex - 1 : text.length;
}

/** The end of the value that starts at `at`: of a string, a plain value, or an object or list with all in it. */
function valueEnd(text: string, at: number): number {
  let depth = 0;
  let end = at;
  do {
    const start = skipBlanks(text, end);
    end = tokenEnd(text, start);
    if (text[start] === "{" || text[start] === "[") depth += 1;
    if (text[start] === "}" || text[start] === "]") depth -= 1;
  } while (depth > 0 && end < text.length);
  return end;
}

/** The place after the string that starts at `at`. Long texts are leapt over, quote by quote. */
function stringEnd(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let escapes = 0;
    while (text[quote - 1 - escapes] === "\\") escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function skipBlanks(text: string, at: number): number {
  let next = at;
  while (next < text.length && BLANK.test(text.charAt(next))) next += 1;
  return next;
}
