/** Starts the host as a process of its own, which outlives whoever started it. */
import { spawn } from 'node:child_process';
import { firstLine } from './first-line.ts';

/** Names of the starting process's environment that the host has too. A connection's own come with it, a key among them. */
const inherited =
  /^(?:HOME|USER|LOGNAME|PATH|LANG|LC_.*|TZ|TMPDIR|XDG_.*|NODE_EXTRA_CA_CERTS|CODEX_LSP_.*|DBUS_SESSION_BUS_ADDRESS)$/;

/**
 * What keeps its memory near what it needs, with twenty turns at once: V8's own garbage, which by default grows to four
 * times as much before it is collected, and glibc's, which never gives back what a large text has taken.
 */
export const sparing = {
  nodeArgs: ['--max-semi-space-size=8', '--heap-growing-percent=60'],
  environment: {
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: '131072',
    MALLOC_TRIM_THRESHOLD_: '131072',
  },
};

const startTimeoutMs = 10_000;
const lineBytesMax = 8 * 1024;

/**
 * `program`: the script that Node runs, absolute. Resolves when a host listens, started here or by somebody else
 * meanwhile; with a sentence where none can.
 */
export async function startHost(options: {
  program: string;
  stateDir: string;
  environment: Readonly<Record<string, string | undefined>>;
}): Promise<{ ready: true } | { reason: string }> {
  const { program, stateDir, environment } = options;
  const kept = Object.entries(environment).filter(([name]) => inherited.test(name));
  const child = spawn(process.execPath, [...sparing.nodeArgs, program, 'host'], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...sparing.environment, ...Object.fromEntries(kept), CODEX_LSP_STATE_DIR: stateDir },
  });
  const failed = new Promise<string>((resolve) => child.once('error', ({ message }) => resolve(message)));
  const line = await Promise.race([
    firstLine(child.stdout, { bytesMax: lineBytesMax, timeoutMs: startTimeoutMs }),
    failed.then((why) => `it cannot be started: ${why}`),
  ]);
  // Nothing of ours keeps it, and it keeps nothing of ours.
  child.stdout.destroy();
  child.unref();
  if (line === 'ready') return { ready: true };
  return { reason: line ?? `it did not listen within ${startTimeoutMs / 1000} s` };
}
