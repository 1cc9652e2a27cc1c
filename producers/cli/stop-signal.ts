import process from "node:process";

export interface StopOptions {
  /** Time for an end in order, from the first signal on; the process does not outlive it. */
  readonly deadlineMs?: number;
  /** Says that the time was not enough. */
  readonly onLate?: () => void;
}

let stopped = false;

/** Whether the process was told to stop. */
export function wasStopped(): boolean {
  return stopped;
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * A signal that aborts at the first Ctrl-C, SIGTERM or closed terminal. The second one ends the
 * process at once, with the shell's code for it, and so does the deadline: a stop waits for nothing
 * that may never answer.
 */
export function stopSignal({ deadlineMs, onLate }: StopOptions = {}): AbortSignal {
  const controller = new AbortController();
  for (const [name, number] of Object.entries(SIGNALS)) {
    const end = (): void => process.exit(128 + number);
    process.on(name, () => {
      if (controller.signal.aborted) end();
      stopped = true;
      controller.abort(new Error(name));
      if (deadlineMs === undefined) return;
      const late = (): void => {
        onLate?.();
        end();
      };
      // A process that has ended in order by then is not kept alive.
      setTimeout(late, deadlineMs).unref();
    });
  }
  return controller.signal;
}
