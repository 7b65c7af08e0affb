/** Deletions by the agent's own tools, made in the upper layer before it is mounted: devices 0:0, free for everybody. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { toolEnvironment } from './process.ts';

const script = `exec xargs -0 sh -c 'for path; do [ -c "./$path" ] || mknod "./$path" c 0 0 || exit 255; done' sh`;
const saidBytesMax = 4096;
const withinMs = 60_000;

/**
 * Of one layer; its list is empty afterwards. Throws in words of the tool that failed. It runs as ourselves, also where
 * the layer is somebody else's: from a process of theirs, outside of any namespace, they could take the folder that it
 * works in, and go on changing it under our hands.
 */
export async function makeWhiteouts({ upper, whiteouts }: { upper: string; whiteouts: string }): Promise<void> {
  const list = await open(whiteouts, 'r+').catch(() => undefined);
  if (list === undefined) return;
  try {
    if ((await list.stat()).size === 0) return;
    await make(upper, list.fd);
    // Who writes a new list makes a new file of it, which is not the one that is open here.
    await list.truncate(0);
  } finally {
    await list.close();
  }
}

function make(upper: string, list: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', script], {
      cwd: upper,
      env: toolEnvironment,
      timeout: withinMs,
      killSignal: 'SIGKILL',
      stdio: [list, 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < saidBytesMax) said += chunk.toString('latin1');
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`a deletion could not be put into the copy: ${said.trim().slice(0, saidBytesMax)}`));
    });
  });
}
