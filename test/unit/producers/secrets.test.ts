import { describe, expect, it } from "vitest";
import { redactor } from "../../../producers/cli/secrets.js";

describe("secrets in a log line", () => {
  it("are replaced, as they are and as URLs and JSON spell them", () => {
    const password = `p@ss "w" \\ wörd`;
    const redact = redactor(
      {
        REDIS_URL: `redis://me:${encodeURIComponent(password)}@host:6379`,
        HF_TOKEN: "hf_0123456789",
        AWS_SECRET_ACCESS_KEY: "aws/secret+key",
        AWS_SESSION_TOKEN: "session-token",
        RANKMILL_DASHBOARD_PASSWORD: "the miller's",
        OTEL_EXPORTER_OTLP_HEADERS: "api-key=abcdef",
      },
      [
        "node",
        "rankmill",
        "worker",
        "--redis-url=redis://:flagged1@host",
        "--hub-token",
        "flagged2",
      ],
    );
    const line = JSON.stringify({
      args: [password, encodeURIComponent(password), "hf_0123456789", "aws/secret+key"],
      more: "session-token the miller's api-key=abcdef flagged1 flagged2",
      kept: "redis://me:…@host:6379",
    });
    expect(JSON.parse(redact(line))).toEqual({
      args: ["[redacted]", "[redacted]", "[redacted]", "[redacted]"],
      more: "[redacted] [redacted] [redacted] [redacted] [redacted]",
      kept: "redis://me:…@host:6379",
    });
  });

  it("leave a line alone if there are none, or none worth the name", () => {
    const line = '{"msg":"a and b"}';
    expect(redactor({}, [])(line)).toBe(line);
    expect(redactor({ HF_TOKEN: "", REDIS_URL: "redis://:a@host" }, [])(line)).toBe(line);
    expect(redactor({ REDIS_URL: "no url" }, ["--redis-url"])(line)).toBe(line);
  });
});
