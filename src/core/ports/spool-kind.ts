import type { Spool } from "./spool.js";

/** A kind of spool, told by the scheme of its place. */
export interface SpoolKind {
  /** Prefix of the place: `s3://`; undefined: a path, which every other place is. */
  readonly scheme: string | undefined;
  /**
   * @param place as `--spool` spells it
   * @param env variables of the process: endpoints, regions, credentials
   * @throws RankmillError `invalid_option` naming what is missing, `missing_dependency`
   */
  open(place: string, env: Readonly<Record<string, string | undefined>>): Promise<Spool>;
}
