/** Everything that a command needs from the process it runs in; read here and nowhere else. */
export const env = process.env;

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
