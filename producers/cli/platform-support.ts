/**
 * The reason why no command can run on this platform. Windows lacks what runs are built on: POSIX
 * signals, Unix sockets and a Redis server.
 *
 * @returns undefined if commands can run
 */
export function unsupportedPlatform(platform: NodeJS.Platform): string | undefined {
  if (platform !== "win32") return undefined;
  return "Windows is not supported: use WSL 2 (https://learn.microsoft.com/windows/wsl) or a container (docker/README.md)";
}
