/**
 * A signal that aborts at the first Ctrl-C, SIGTERM or closed terminal; the second ends the process
 * at once, with the shell's code for it.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
  for (const [name, number] of Object.entries(numbers)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + number);
      controller.abort(new Error(name));
    });
  }
  return controller.signal;
}
