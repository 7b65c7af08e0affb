/** The host's end of the socket: one host at a time, and nobody is let in who cannot read its token. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Lock, takeLock } from '../task/lock.ts';
import { writeAtomically } from '../workspace/atomic.ts';
import { open } from './connect.ts';
import type { HostPlace } from './place.ts';

export type Listening = {
  token: string;
  /** No new connection from here on. */
  close(): void;
  /** The next host may come; more than once does no harm. */
  release(): void;
};

/** A host that is ending has that long. */
const takeOverMs = 5_000;
/** Editors and shells at a time. */
const connectionsMax = 1_000;

/** Undefined where another host listens there already. Throws where neither is so. */
export async function listen(
  place: HostPlace,
  onConnection: (socket: Socket, token: string) => void,
): Promise<Listening | undefined> {
  const lock = await take(place);
  if (!lock) return undefined;
  let isReleased = false;
  const token = randomBytes(32).toString('base64url');
  try {
    // Left by a host that is gone: whoever has the lock is the only one.
    await rm(place.socket, { force: true });
    await writeAtomically(place.token, `${token}\n`, { mode: 0o600, beside: place.folder });
    const server = await bound(place.socket, (socket) => onConnection(socket, token));
    return {
      token,
      // The socket's file goes with it.
      close: () => void server.close(),
      release() {
        // Afterwards it may be another's.
        if (!isReleased) lock.release();
        isReleased = true;
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

export function isToken(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function take(place: HostPlace): Promise<Lock | undefined> {
  const deadline = performance.now() + takeOverMs;
  for (;;) {
    const lock = await takeLock(place.lock, 'turn', { waitMs: 0 });
    if (!('heldBy' in lock)) return lock;
    const socket = await open(place.socket);
    socket?.destroy();
    if (socket) return undefined;
    if (performance.now() > deadline) {
      throw new Error(`process ${lock.heldBy} is the host and does not listen; end it: kill ${lock.heldBy}`);
    }
    await delay(20);
  }
}

function bound(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, onConnection);
    server.maxConnections = connectionsMax;
    // Where one cannot be accepted later, the others are served on.
    server.on('error', reject);
    server.listen(path, () => {
      // The folder keeps others out until then.
      chmod(path, 0o600).then(() => resolve(server), reject);
    });
  });
}
