/**
 * A number that is always written with a fraction or an exponent. Typed clients, such as OpenSearch,
 * take `1` for an integer and fail.
 */
export class Score {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toString(): string {
    const text = String(this.value);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }
}

/** JSON of a value, as `JSON.stringify` writes it, with each {@link Score} as one. */
export function writeJson(value: unknown): string {
  if (value instanceof Score) return value.toString();
  if (Array.isArray(value)) return `[${value.map(writeJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).flatMap(([name, member]) =>
      member === undefined ? [] : [`${JSON.stringify(name)}:${writeJson(member)}`],
    );
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
