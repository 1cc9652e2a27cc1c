import { enlarged, hasValue, leadsBy, offsetOf, valueOf } from "./double-array.js";
import type { CompiledUnigram } from "./unigram-spec.js";

/** Bytes of a word after which what is certain of it is settled: a word may be a whole document. */
const SETTLE_BYTES = 4_096;
const FIRST_CAPACITY = 16_384;
const UNREACHED = -1;

/**
 * Cuts words into pieces: of all ways to write a word as pieces the one with the highest sum of
 * scores (Viterbi), in the order of additions and by the rule for equal sums of the Rust library.
 *
 * A word is given byte by byte: `append`…, then `endWord`. The beginning of a long one is settled
 * once all ways that are still open share it, and forgotten: memory stays bounded, and the pieces so
 * far are known.
 */
export class UnigramPieces {
  readonly #units: Uint32Array;
  readonly #scores: Float64Array;
  readonly #unkId: number;
  readonly #unkScore: number;
  readonly #maxPieceBytes: number;
  /** Bytes of the word, from the settled part on. */
  #bytes = new Uint8Array(FIRST_CAPACITY);
  /** Best sum of the ways to each place. */
  #sums = new Float64Array(FIRST_CAPACITY + 1);
  /** Start of the last piece of that way; `UNREACHED` if there is none. */
  #starts = new Int32Array(FIRST_CAPACITY + 1);
  /** Its id. */
  #lasts = new Int32Array(FIRST_CAPACITY + 1);
  #length = 0;
  /** Places before it have been gone on from. */
  #done = 0;
  /** Places up to it are initialised. */
  #known = 0;
  #settleAt = SETTLE_BYTES;
  /** The last piece of the word that was settled is unknown: the next one melts into it. */
  #afterUnknown = false;
  #ids = new Int32Array(FIRST_CAPACITY);
  #count = 0;
  #open = new Uint8Array(FIRST_CAPACITY + 1);

  constructor({ pieces, scores, settings }: CompiledUnigram) {
    this.#units = pieces;
    this.#scores = scores;
    this.#unkId = settings.unkId;
    this.#unkScore = settings.unkScore;
    this.#maxPieceBytes = settings.maxPieceBytes;
  }

  /** Ids that are settled. */
  get count(): number {
    return this.#count;
  }

  /** Hands out the ids so far and begins anew. */
  take(): Int32Array {
    const ids = this.#ids.slice(0, this.#count);
    this.#count = 0;
    this.#length = 0;
    this.#beginWord();
    return ids;
  }

  append(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow();
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  /** Between characters: settles what is certain of a word that has grown long. */
  settle(): void {
    if (this.#length < this.#settleAt) return;
    this.#advance(this.#length - this.#maxPieceBytes);
    this.#forget(this.#commonPlace());
    // The open part is looked at again only once it has doubled: otherwise the time would grow with
    // its square.
    this.#settleAt = 2 * this.#length + SETTLE_BYTES;
  }

  endWord(): void {
    if (this.#length === 0) return;
    this.#advance(this.#length);
    this.#emit(this.#length);
    this.#length = 0;
    this.#beginWord();
  }

  #beginWord(): void {
    this.#done = 0;
    this.#known = 0;
    this.#sums[0] = 0;
    this.#settleAt = SETTLE_BYTES;
    this.#afterUnknown = false;
  }

  /** Goes on from every place before `limit` that is between two characters. */
  #advance(limit: number): void {
    const [units, scores, bytes] = [this.#units, this.#scores, this.#bytes];
    const [sums, starts, lasts] = [this.#sums, this.#starts, this.#lasts];
    const length = this.#length;
    const root = offsetOf(units[0] ?? 0);
    starts.fill(UNREACHED, this.#known + 1, length + 1);
    this.#known = length;
    let place = this.#done;
    while (place < limit) {
      const sum = sums[place] ?? 0;
      const width = widthOf(bytes[place] ?? 0);
      let known = false;
      let node = root;
      for (let at = place; at < length; at += 1) {
        const byte = bytes[at] ?? 0;
        node ^= byte;
        const unit = units[node] ?? 0;
        if (byte === 0 || !leadsBy(unit, byte)) break;
        node ^= offsetOf(unit);
        if (!hasValue(unit)) continue;
        const id = valueOf(units[node] ?? 0);
        const end = at + 1;
        const candidate = (scores[id] ?? 0) + sum;
        if (starts[end] === UNREACHED || candidate > (sums[end] ?? 0)) {
          sums[end] = candidate;
          starts[end] = place;
          lasts[end] = id;
        }
        if (end - place === width) known = true;
      }
      if (!known) {
        const end = place + width;
        const candidate = this.#unkScore + sum;
        if (starts[end] === UNREACHED || candidate > (sums[end] ?? 0)) {
          sums[end] = candidate;
          starts[end] = place;
          lasts[end] = this.#unkId;
        }
      }
      place += width;
    }
    this.#done = place;
  }

  /** The last place through which all ways go that lead to a place not yet gone on from. */
  #commonPlace(): number {
    const [starts, open] = [this.#starts, this.#open];
    let ways = 0;
    for (let place = this.#done; place <= this.#length; place += 1) {
      const reached = place === this.#done || starts[place] !== UNREACHED;
      open[place] = reached ? 1 : 0;
      if (reached) ways += 1;
    }
    open.fill(0, 0, this.#done);
    let place = this.#length;
    for (; place > 0; place -= 1) {
      if (open[place] !== 1) continue;
      if (ways === 1) break;
      const start = starts[place] ?? 0;
      if (open[start] === 1) ways -= 1;
      open[start] = 1;
    }
    return place;
  }

  /** Settles the pieces up to `place` and makes it the beginning. */
  #forget(place: number): void {
    if (place === 0) return;
    this.#emit(place);
    this.#bytes.copyWithin(0, place, this.#length);
    this.#sums.copyWithin(0, place, this.#length + 1);
    this.#lasts.copyWithin(0, place, this.#length + 1);
    this.#length -= place;
    this.#done -= place;
    this.#known -= place;
    for (let at = 1; at <= this.#length; at += 1) {
      const start = this.#starts[at + place] ?? UNREACHED;
      this.#starts[at] = start === UNREACHED ? UNREACHED : start - place;
    }
  }

  /** Settles the best way to `place`; unknown pieces beside each other are one. */
  #emit(place: number): void {
    const [starts, lasts] = [this.#starts, this.#lasts];
    let count = 0;
    for (let at = place; at > 0; at = starts[at] ?? 0) count += 1;
    if (this.#count + count > this.#ids.length) {
      const ids = new Int32Array(Math.max(this.#ids.length * 2, this.#count + count));
      ids.set(this.#ids);
      this.#ids = ids;
    }
    const ids = this.#ids;
    let slot = this.#count + count;
    for (let at = place; at > 0; at = starts[at] ?? 0) {
      slot -= 1;
      ids[slot] = lasts[at] ?? 0;
    }
    // Forward, closing up what melts together.
    let kept = slot;
    for (let from = slot; from < slot + count; from += 1) {
      const id = ids[from] ?? 0;
      if (id === this.#unkId && this.#afterUnknown) continue;
      this.#afterUnknown = id === this.#unkId;
      ids[kept] = id;
      kept += 1;
    }
    this.#count = kept;
  }

  #grow(): void {
    const capacity = this.#bytes.length * 2;
    this.#bytes = enlarged(this.#bytes, new Uint8Array(capacity));
    this.#sums = enlarged(this.#sums, new Float64Array(capacity + 1));
    this.#starts = enlarged(this.#starts, new Int32Array(capacity + 1));
    this.#lasts = enlarged(this.#lasts, new Int32Array(capacity + 1));
    this.#open = new Uint8Array(capacity + 1);
  }
}

/** Bytes of a character in UTF-8, by the first. */
function widthOf(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
