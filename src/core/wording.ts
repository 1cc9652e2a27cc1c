/** An option that a text mentions: `{option: "device", value: "cpu"}`. */
export interface OptionMention {
  /** The option's name in the library: `maxDocuments`. */
  readonly option: string;
  readonly value?: string | number;
}

type Part = string | OptionMention;

/**
 * A text that mentions options, which each side of the library spells in its own way: `forceNew` in
 * a program, `--force-new` on the command line.
 */
export class Wording {
  readonly #parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  get parts(): readonly Part[] {
    return this.#parts;
  }

  /** The text, with each option as `spell` gives its name. */
  spelled(spell: (option: string) => string): string {
    return this.#parts
      .map((part) => (typeof part === "string" ? part : named(part, spell)))
      .join("");
  }

  toString(): string {
    return this.spelled((option) => option);
  }
}

function named({ option, value }: OptionMention, spell: (option: string) => string): string {
  return value === undefined ? spell(option) : `${spell(option)} ${value}`;
}

/** Mention of an option, with the value to give it if there is one. */
export function option(name: string, value?: string | number): OptionMention {
  return value === undefined ? { option: name } : { option: name, value };
}

/** Template tag: a text whose `option(…)`s stay data until it is shown. */
export function wording(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | OptionMention | Wording)[]
): Wording {
  const parts: Part[] = strings.slice(0, 1);
  for (const [at, value] of values.entries()) {
    if (value instanceof Wording) parts.push(...value.parts);
    else parts.push(typeof value === "object" ? value : String(value));
    parts.push(strings[at + 1] ?? "");
  }
  return new Wording(parts);
}
