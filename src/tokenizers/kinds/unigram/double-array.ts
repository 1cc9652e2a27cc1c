/**
 * A trie of byte strings in one array, as `darts-clone` lays it out for sentencepiece's tables of
 * characters: the child of a node by a byte lies at the node's offset XOR the byte and says which
 * byte led to it. Offsets are unique, so that the byte alone tells whether the child is the node's.
 * The value of a node lies where its child by the byte 0 would: no string holds that byte.
 */

/** Bits of a unit. */
const LABEL_MASK = 0x800000ff;
const HAS_VALUE = 1 << 8;
const WIDE_OFFSET = 1 << 9;
const WIDE_SHIFT = 8;
const OFFSET_SHIFT = 10;
const VALUE_MASK = 0x7fffffff;
/** The largest offset that is kept to the last bit. */
const MAX_NARROW_OFFSET = (1 << 21) - 1;

export function offsetOf(unit: number): number {
  return (unit >>> OFFSET_SHIFT) << ((unit & WIDE_OFFSET) === 0 ? 0 : WIDE_SHIFT);
}

export function leadsBy(unit: number, byte: number): boolean {
  return (unit & LABEL_MASK) === byte;
}

export function hasValue(unit: number): boolean {
  return (unit & HAS_VALUE) !== 0;
}

export function valueOf(unit: number): number {
  return unit & VALUE_MASK;
}

/** The value of the shortest string in the trie that `bytes` begins with; -1 if there is none. */
export function shortestPrefix(units: Uint32Array, bytes: Uint8Array, length: number): number {
  let unit = units[0] ?? 0;
  let at = offsetOf(unit);
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte === 0) return -1;
    at ^= byte;
    unit = units[at] ?? 0;
    if (!leadsBy(unit, byte)) return -1;
    at ^= offsetOf(unit);
    if (hasValue(unit)) return valueOf(units[at] ?? 0);
  }
  return -1;
}

/** Free units that are tried as the place of a node's first child before new ones are made. */
const MAX_TRIES = 128;
/** A free unit that nodes of several units tried in vain as often is left to those of one. */
const ROOMY_FAILURES = 16;
/** Free units that are tried in all before the layout is given up. */
const MAX_FAILURES = 250;
/** Ends of the rings of free units; never free themselves. */
const ROOMY = 0;
const LEFT_OVER = 1;
const BLOCK_UNITS = 256;

/**
 * @param keys strings one after the other in UTF-8, each before those that it begins, all that begin
 *   alike beside each other; not empty, without the byte 0, each once
 * @param ends where each ends
 * @param values one per key, 0 … 2^31 - 1
 * @returns undefined if a trie of this layout does not hold as many
 */
export function buildDoubleArray(
  keys: Uint8Array,
  ends: Int32Array,
  values: Int32Array,
): Uint32Array | undefined {
  const builder = new Builder();
  // Nodes to be laid out: the keys from `first` to `last` share their first `depth` bytes.
  const stack: number[] = [0, 0, ends.length, 0];
  while (stack.length > 0) {
    const [depth = 0, last = 0, first = 0, unit = 0] = [
      stack.pop(),
      stack.pop(),
      stack.pop(),
      stack.pop(),
    ];
    const labels: number[] = [];
    const starts: number[] = [];
    let from = first;
    const begin = (key: number): number => (key === 0 ? 0 : (ends[key - 1] ?? 0));
    const endsHere = from < last && begin(from) + depth === ends[from];
    if (endsHere) from += 1;
    for (let key = from; key < last; key += 1) {
      const label = keys[begin(key) + depth] ?? 0;
      if (label === labels.at(-1)) continue;
      labels.push(label);
      starts.push(key);
    }
    const offset = builder.place(unit, labels, endsHere ? (values[first] ?? 0) : undefined);
    if (offset === undefined) return undefined;
    for (const [index, label] of labels.entries()) {
      stack.push(offset ^ label, starts[index] ?? 0, starts[index + 1] ?? last, depth + 1);
    }
  }
  return builder.units();
}

/** A unit is free and in one of two rings (*roomy*, *left over*), or taken, or given up. */
class Builder {
  #units = new Uint32Array(1 << 16);
  #taken = new Uint8Array(1 << 16);
  #offsetTaken = new Uint8Array(1 << 16);
  #failures = new Uint8Array(1 << 16);
  /** The units before and after each free unit in its ring. */
  #before = new Int32Array(1 << 16);
  #after = new Int32Array(1 << 16);
  #length = 0;

  constructor() {
    for (const end of [ROOMY, LEFT_OVER]) {
      this.#before[end] = end;
      this.#after[end] = end;
      this.#taken[end] = 1;
    }
    this.#addBlock();
    // An offset of 0 would make the root its own child.
    this.#offsetTaken[0] = 1;
  }

  /** Finds room for a node's children, and for its value if it has one. */
  place(unit: number, labels: readonly number[], value: number | undefined): number | undefined {
    const slots = value === undefined ? labels : [0, ...labels];
    const offset = this.#find(slots);
    const relative = unit ^ offset;
    if (relative > MAX_NARROW_OFFSET) return undefined;
    for (const slot of slots) this.#take(offset ^ slot);
    this.#offsetTaken[offset] = 1;
    for (const label of labels) this.#units[offset ^ label] = label;
    const own = this.#units[unit] ?? 0;
    this.#units[unit] =
      (own | (relative << OFFSET_SHIFT) | (value === undefined ? 0 : HAS_VALUE)) >>> 0;
    // The high bit keeps it apart from every byte.
    if (value !== undefined) this.#units[offset] = (value | ~VALUE_MASK) >>> 0;
    return offset;
  }

  units(): Uint32Array {
    return this.#units.slice(0, this.#length);
  }

  /** Nodes of several units take the newest room, those of one what is left over, the oldest first. */
  #find(slots: readonly number[]): number {
    const found =
      slots.length > 1
        ? this.#search(ROOMY, this.#before, slots)
        : (this.#search(LEFT_OVER, this.#after, slots) ?? this.#search(ROOMY, this.#after, slots));
    return found ?? this.#addBlock();
  }

  #search(ring: number, onward: Int32Array, slots: readonly number[]): number | undefined {
    const first = slots[0] ?? 0;
    let at = onward[ring] ?? ring;
    for (let tries = 0; at !== ring && tries < MAX_TRIES; tries += 1) {
      const offset = at ^ first;
      if (this.#offsetTaken[offset] === 0 && this.#fits(offset, slots)) return offset;
      const next = onward[at] ?? ring;
      if (ring === LEFT_OVER || slots.length > 1) this.#fail(at);
      at = next;
    }
    return undefined;
  }

  #fail(unit: number): void {
    const failures = (this.#failures[unit] ?? 0) + 1;
    this.#failures[unit] = failures;
    if (failures !== ROOMY_FAILURES && failures !== MAX_FAILURES) return;
    this.#unlink(unit);
    if (failures === ROOMY_FAILURES) this.#append(unit, LEFT_OVER);
  }

  #fits(offset: number, slots: readonly number[]): boolean {
    for (const slot of slots) if (this.#taken[offset ^ slot] === 1) return false;
    return true;
  }

  #take(unit: number): void {
    this.#taken[unit] = 1;
    if ((this.#failures[unit] ?? 0) < MAX_FAILURES) this.#unlink(unit);
  }

  #unlink(unit: number): void {
    const [before, after] = [this.#before[unit] ?? 0, this.#after[unit] ?? 0];
    this.#after[before] = after;
    this.#before[after] = before;
  }

  #append(unit: number, ring: number): void {
    const last = this.#before[ring] ?? ring;
    this.#before[unit] = last;
    this.#after[unit] = ring;
    this.#after[last] = unit;
    this.#before[ring] = unit;
  }

  /** @returns its first unit */
  #addBlock(): number {
    const first = this.#length;
    this.#length += BLOCK_UNITS;
    if (this.#length > this.#units.length) this.#enlarge(this.#units.length * 2);
    for (let unit = Math.max(first, LEFT_OVER + 1); unit < this.#length; unit += 1) {
      this.#append(unit, ROOMY);
    }
    return first;
  }

  #enlarge(length: number): void {
    this.#units = enlarged(this.#units, new Uint32Array(length));
    this.#taken = enlarged(this.#taken, new Uint8Array(length));
    this.#offsetTaken = enlarged(this.#offsetTaken, new Uint8Array(length));
    this.#failures = enlarged(this.#failures, new Uint8Array(length));
    this.#before = enlarged(this.#before, new Int32Array(length));
    this.#after = enlarged(this.#after, new Int32Array(length));
  }
}

/** Copies `from` into the beginning of `to`. */
export function enlarged<Values extends { set(values: Values): void }>(
  from: Values,
  to: Values,
): Values {
  to.set(from);
  return to;
}
