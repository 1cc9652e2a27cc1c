/**
 * The part of koffi that is used here. Its own types give `any` for what a native function takes and gives; here
 * each function is declared with what its C signature says.
 */
declare module "koffi" {
  /** An address. */
  export type Pointer = bigint;

  export interface NativeFunction<Args extends readonly unknown[], Result> {
    (...args: Args): Result;
    /** Runs it on a thread of its own. */
    readonly async: (
      ...args: [...Args, done: (error: Error | null, result: Result) => void]
    ) => void;
  }

  export interface Library {
    func<Args extends readonly unknown[], Result>(prototype: string): NativeFunction<Args, Result>;
  }

  const koffi: {
    /** @throws Error with the loader's words */
    load(path: string): Library;
    /** Declares a struct for all later prototypes; a name can be declared once in a process. */
    struct(name: string, members: Readonly<Record<string, string>>): unknown;
    /** The memory itself, not a copy of it. */
    view(pointer: Pointer, bytes: number): ArrayBuffer;
    readonly decode: { string(pointer: Pointer): string };
  };
  export default koffi;
}
