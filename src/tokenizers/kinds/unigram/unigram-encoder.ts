import { shortestPrefix } from "./double-array.js";
import { GraphemeClusters } from "./grapheme-clusters.js";
import { UnigramPieces } from "./unigram-pieces.js";
import type { CompiledUnigram } from "./unigram-spec.js";

/** Clusters of fewer bytes are replaced as a whole: a rule of the Rust library. */
const WHOLE_CLUSTER_BYTES = 6;
const ASCII = 0x80;
const SPACE = 0x20;
const MARK = 0x2581;
/** No replacement of a character known yet; one is kept as its place, "none" as `UNCHANGED`. */
const UNKNOWN = 0;
const UNCHANGED = -1;

/**
 * XLM-R's tokenizer and its like: the ids that the Rust library gives, with a tenth of its memory.
 * Reads a text once, character by character: grapheme cluster → replacement → words → pieces.
 */
export class UnigramEncoder {
  readonly #charsmap: Uint32Array;
  readonly #texts: Uint8Array;
  readonly #collapseSpaces: boolean;
  readonly #splitAtWhitespace: boolean;
  readonly #pieces: UnigramPieces;
  readonly #clusters = new GraphemeClusters();
  /** The place, plus one, of the replacement of each character of the basic plane, once known. */
  readonly #replacements = new Int32Array(0x10000);
  readonly #scratch = new Uint8Array(WHOLE_CLUSTER_BYTES);
  /** The next character begins a word, and the mark goes before it. */
  #wordBegins = true;
  #afterSpace = false;

  constructor(unigram: CompiledUnigram) {
    this.#charsmap = unigram.charsmap;
    this.#texts = unigram.texts;
    this.#collapseSpaces = unigram.settings.collapseSpaces;
    this.#splitAtWhitespace = unigram.settings.splitAtWhitespace;
    this.#pieces = new UnigramPieces(unigram);
  }

  /**
   * @param text well-formed
   * @param wanted ids that are enough
   * @returns those of the whole text, or the first `wanted` of them
   */
  encode(text: string, wanted = Number.POSITIVE_INFINITY): Int32Array {
    const pieces = this.#pieces;
    this.#wordBegins = true;
    this.#afterSpace = false;
    let at = 0;
    while (at < text.length && pieces.count < wanted) at = this.#readCluster(text, at);
    pieces.endWord();
    const ids = pieces.take();
    return ids.length > wanted ? ids.slice(0, wanted) : ids;
  }

  #readCluster(text: string, at: number): number {
    const first = text.codePointAt(at) ?? 0;
    const width = first > 0xffff ? 2 : 1;
    const next = at + width < text.length ? (text.codePointAt(at + width) ?? 0) : 0;
    // Carriage return and line feed are a cluster; other ASCII characters stand alone.
    const alone =
      first < ASCII && next < ASCII ? first !== 0x0d : this.#clusters.startsAlone(first, next);
    if (alone) {
      this.#replaceOne(first);
      return at + width;
    }
    const end = this.#clusters.end(text, at);
    const bytes = utf8Length(text, at, end);
    if (bytes < WHOLE_CLUSTER_BYTES) {
      new TextEncoder().encodeInto(text.slice(at, end), this.#scratch);
      const place = shortestPrefix(this.#charsmap, this.#scratch, bytes);
      if (place >= 0) {
        this.#emitText(place);
        return end;
      }
    }
    for (let index = at; index < end;) {
      const point = text.codePointAt(index) ?? 0;
      this.#replaceOne(point);
      index += point > 0xffff ? 2 : 1;
    }
    return end;
  }

  #replaceOne(point: number): void {
    let place = point > 0xffff ? UNKNOWN : (this.#replacements[point] ?? UNKNOWN);
    if (place === UNKNOWN) {
      const length = writeUtf8(point, this.#scratch);
      const found = shortestPrefix(this.#charsmap, this.#scratch, length);
      place = found < 0 ? UNCHANGED : found + 1;
      if (point <= 0xffff) this.#replacements[point] = place;
    }
    if (place === UNCHANGED) this.#emit(point);
    else this.#emitText(place - 1);
  }

  /** Up to the 0 that ends it. */
  #emitText(place: number): void {
    const texts = this.#texts;
    let at = place;
    for (let lead = texts[at] ?? 0; lead !== 0; lead = texts[at] ?? 0) {
      const width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      let point = width === 1 ? lead : lead & (0x7f >> width);
      for (let index = 1; index < width; index += 1) {
        point = (point << 6) | ((texts[at + index] ?? 0) & 0x3f);
      }
      this.#emit(point);
      at += width;
    }
  }

  /** A character of the normalised text. */
  #emit(point: number): void {
    const pieces = this.#pieces;
    if (point === MARK) {
      this.#beginWord();
      return;
    }
    if (this.#splitAtWhitespace) {
      if (isWhitespace(point)) {
        this.#wordBegins = true;
        return;
      }
    } else if (point === SPACE) {
      if (!(this.#collapseSpaces && this.#afterSpace)) this.#beginWord();
      this.#afterSpace = true;
      return;
    }
    if (this.#wordBegins) this.#beginWord();
    this.#afterSpace = false;
    if (point < ASCII) {
      pieces.append(point);
    } else {
      const length = writeUtf8(point, this.#scratch);
      for (let index = 0; index < length; index += 1) pieces.append(this.#scratch[index] ?? 0);
    }
    pieces.settle();
  }

  #beginWord(): void {
    this.#pieces.endWord();
    this.#wordBegins = false;
    this.#afterSpace = false;
    this.#pieces.append(0xe2);
    this.#pieces.append(0x96);
    this.#pieces.append(0x81);
  }
}

/** White_Space of Unicode, which has not changed since version 6.3. */
function isWhitespace(point: number): boolean {
  if (point < ASCII) return point === SPACE || (point >= 0x09 && point <= 0x0d);
  if (point < 0x1680) return point === 0x85 || point === 0xa0;
  return (
    point === 0x1680 ||
    (point >= 0x2000 && point <= 0x200a) ||
    point === 0x2028 ||
    point === 0x2029 ||
    point === 0x202f ||
    point === 0x205f ||
    point === 0x3000
  );
}

function utf8Length(text: string, from: number, to: number): number {
  let bytes = 0;
  for (let at = from; at < to; at += 1) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair counts two.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes;
}

/** @returns the bytes written */
function writeUtf8(point: number, into: Uint8Array): number {
  if (point < 0x80) {
    into[0] = point;
    return 1;
  }
  if (point < 0x800) {
    into[0] = 0xc0 | (point >> 6);
    into[1] = 0x80 | (point & 0x3f);
    return 2;
  }
  if (point < 0x10000) {
    into[0] = 0xe0 | (point >> 12);
    into[1] = 0x80 | ((point >> 6) & 0x3f);
    into[2] = 0x80 | (point & 0x3f);
    return 3;
  }
  into[0] = 0xf0 | (point >> 18);
  into[1] = 0x80 | ((point >> 12) & 0x3f);
  into[2] = 0x80 | ((point >> 6) & 0x3f);
  into[3] = 0x80 | (point & 0x3f);
  return 4;
}
