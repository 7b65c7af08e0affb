/** One short run of a system tool, outside any sandbox, with nothing of the server's environment, as a child of ours. */
import { execFile } from 'node:child_process';

/** Every program of ours outside the sandbox runs with this and no more. */
export const toolEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

export type RunOptions = { signal?: AbortSignal; bytesMax?: number };

/** Its stdout, cut at `bytesMax`; empty where it can't run. `tool` is an absolute path; a fired signal ends it. */
export function outputOf(
  tool: string,
  args: readonly string[],
  { signal, bytesMax = 64 * 1024 }: RunOptions = {},
): Promise<string> {
  const limits = { timeout: 10_000, maxBuffer: bytesMax, signal };
  return new Promise((resolve) => {
    execFile(tool, args, { env: toolEnvironment, cwd: '/', ...limits }, (_error, stdout) => resolve(stdout));
  });
}
