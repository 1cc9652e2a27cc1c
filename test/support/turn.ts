/** Lets everything that can go on go on. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
