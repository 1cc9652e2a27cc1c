import type { FeedingBoard, OtherFeeders } from "../../../src/core/ports/feeding-board.js";

/** A board in memory, on which every feeder stands until it goes. */
export class MemoryFeedingBoard implements FeedingBoard {
  /** Bytes per second that workers drain, by owner. */
  readonly posted = new Map<string, number>();
  posts = 0;

  post(owner: string, bytesPerSecond: number): Promise<OtherFeeders> {
    this.posts += 1;
    this.posted.set(owner, bytesPerSecond);
    const others = [...this.posted].filter(([other]) => other !== owner);
    return Promise.resolve({
      runs: others.length,
      bytesPerSecond: others.reduce((sum, [, rate]) => sum + rate, 0),
    });
  }

  remove(owner: string): Promise<void> {
    this.posted.delete(owner);
    return Promise.resolve();
  }
}
