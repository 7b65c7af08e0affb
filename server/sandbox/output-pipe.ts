/** The pipe a command writes to: a real one, with a name. */
import { close, constants, open } from 'node:fs';
import { chown, lstat, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Tools } from './host.ts';
import { toolOutput } from './launcher.ts';
import type { CopyLayers } from './types.ts';

/** What somebody else holds open may never end. */
export const drainedWithinMs = 2_000;

// Bare descriptors, not handles: a socket takes over the reading one.
const openDescriptor = promisify(open);
export const closeDescriptor = promisify(close);

/**
 * Both ends: Node's own are sockets, which a command can't open again as `/dev/stdout`. Its name lies beside the upper
 * layer, one per copy, because a copy's commands run one after the other. `owner`: who may open it again.
 */
export async function outputPipe(
  layers: Pick<CopyLayers, 'upper'>,
  { mkfifo }: Pick<Tools, 'mkfifo'>,
  owner: { uid: number; gid: number },
): Promise<{ reader: number; writer: number }> {
  const path = join(dirname(layers.upper), 'output');
  const found = await lstat(path).catch(() => undefined);
  // A command may have changed its mode, as `/proc/self/fd/1`.
  const isOurs = found?.isFIFO() && (found.mode & 0o7777) === 0o600 && found.uid === owner.uid;
  if (!isOurs) {
    await rm(path, { recursive: true, force: true });
    await toolOutput(mkfifo, ['-m', '600', path]);
    if (owner.uid !== process.geteuid?.()) await chown(path, owner.uid, owner.gid);
  }
  // In this order: a pipe without a reader can't be opened for writing without waiting.
  const reader = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    return { reader, writer: await openDescriptor(path, constants.O_WRONLY | constants.O_NOFOLLOW) };
  } catch (error) {
    await closeDescriptor(reader);
    throw error;
  }
}
