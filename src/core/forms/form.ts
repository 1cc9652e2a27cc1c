/**
 * A way to compute a model's logits that gives other bits than its file on ONNX Runtime, as it is. It is part of
 * what a score is: of the queue, of manifests, of cached scores.
 */
export interface NumericForm {
  /** A word of `a-z` and digits: it stands in the names of queues. */
  readonly name: string;
  /** What is computed, as a phrase for people. */
  readonly description: string;
  /** Option of a worker that serves it, by its name on the command line, with its value; none if the precision says it all. */
  readonly option?: readonly [name: string, value: string];
  /** True if `prepare` makes it of the file; without preparing there is none. */
  readonly isPrepared: boolean;
}
