/**
 * The copy as a command has left it, where only bwrap can mount it and its own mount went with the command: mounted once
 * more, for a look from outside, with nothing in it but a shell that waits for the end of our pipe.
 */
import { spawn } from 'node:child_process';
import type { Tools } from './host.ts';
import { toolEnvironment } from './process.ts';
import { mountedByBwrap, type WorkspaceMount } from './workspace-mounts.ts';

const mountedWithinMs = 10_000;

export type Merged = {
  /** Of the whole machine as that shell sees it, the copy at its own path. */
  root: string;
  /** Afterwards it is not mounted any more. */
  release(): Promise<void>;
};

/** Nothing where it can't be mounted. Not while a command of the copy lives. */
export async function holdMerged(tools: Tools, mounts: readonly WorkspaceMount[]): Promise<Merged | undefined> {
  const overlays = mounts.filter(({ kind }) => kind === 'overlay');
  const child = spawn(
    tools.bwrap,
    [
      ...['--unshare-user', '--die-with-parent', '--bind', '/', '/'],
      ...mountedByBwrap(overlays, { isReadOnly: false }),
      ...['--', '/bin/sh', '-c', 'echo $$; read -r end'],
    ],
    { env: toolEnvironment, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'ignore'] },
  );
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve());
  });
  const said = new Promise<number | undefined>((resolve) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const pid = /^(\d+)\n/.exec(text)?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
    closed.then(() => resolve(undefined));
    setTimeout(() => resolve(undefined), mountedWithinMs).unref();
  });
  child.stdin.on('error', () => {});
  const release = async () => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), mountedWithinMs);
    await closed;
    clearTimeout(timer);
  };
  const pid = await said;
  if (pid !== undefined) return { root: `/proc/${pid}/root`, release };
  child.kill('SIGKILL');
  await release();
  return undefined;
}
