/** Keeps secrets out of logs, wherever in an error's text or properties they turn up. */

/** Variables that are secret as a whole. */
const SECRET_VARIABLES = [
  "HF_TOKEN",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "RANKMILL_DASHBOARD_PASSWORD",
  "RANKMILL_API_KEY",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
];
const SECRET_FLAGS = ["--hub-token"];
const REDIS_FLAGS = ["--redis-url"];
/** A shorter one would take half of every line with it, and is none. */
const LEAST_CHARS = 4;
const REDACTED = "[redacted]";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param args of the command line
 * @returns `text` with every secret that `env` or `args` hold replaced
 */
export function redactor(env: Environment, args: readonly string[]): (text: string) => string {
  const whole = [...SECRET_VARIABLES.map((name) => env[name]), ...valuesOf(SECRET_FLAGS, args)];
  const urls = [env["REDIS_URL"], ...valuesOf(REDIS_FLAGS, args)];
  const secrets = [...whole, ...urls.flatMap(passwordsOf)].filter(
    (secret) => secret !== undefined && secret.length >= LEAST_CHARS,
  );
  // The secret as it is, as a URL spells it, and each of them as JSON does.
  const spellings = new Set(
    secrets
      .flatMap((secret = "") => [secret, encodeURIComponent(secret)])
      .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]),
  );
  // One that is part of another must not leave the rest of it behind.
  const longestFirst = [...spellings].sort((a, b) => b.length - a.length);
  return (text) =>
    longestFirst.reduce((redacted, secret) => redacted.replaceAll(secret, REDACTED), text);
}

function valuesOf(flags: readonly string[], args: readonly string[]): (string | undefined)[] {
  return args.flatMap((arg, i) =>
    flags.flatMap((flag) => {
      if (arg === flag) return [args[i + 1]];
      return arg.startsWith(`${flag}=`) ? [arg.slice(flag.length + 1)] : [];
    }),
  );
}

function passwordsOf(url: string | undefined): string[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { password, searchParams } = new URL(url);
  return [password, decoded(password), searchParams.get("password") ?? ""];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
