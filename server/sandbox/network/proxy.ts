/** The proxy of one command: a Unix socket that speaks HTTP and SOCKS5, and leads nowhere but to the allowed hosts. */
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rmdir, unlink } from 'node:fs/promises';
import { Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gate } from './gate.ts';
import { httpFace } from './http.ts';
import type { Internet } from './internet.ts';
import { socksFace } from './socks.ts';

/** Served at once; more of them wait, and beyond that are closed. */
const connectionsMax = 64;
const connectionsWaitingMax = 1_024;
/** Until a client has said what it wants. */
const silentTimeoutMs = 60_000;
const socksVersion = 5;
/** `sun_path` holds 108 bytes with the NUL at its end. */
const socketPathBytesMax = 107;

export type HostProxy = {
  /** Absolute, on the host. It is removed as soon as somebody has come through it: then it is bound in the sandbox. */
  socket: string;
  /** Hosts that were asked for and refused, each once, as they can be shown. */
  readonly refusedHosts: string[];
  /** Whether anybody has come through the socket. */
  readonly wasReached: boolean;
  /** Afterwards there is no connection, no listener and no folder. */
  close(): Promise<void>;
};

/** `owner`: whom the command runs as, where that is not this process. Rejects where no socket can be made. */
export async function openProxy(options: {
  patterns: readonly string[];
  internet: Internet;
  owner?: { uid: number; gid: number };
}): Promise<HostProxy> {
  const { patterns, internet, owner } = options;
  const gate = new Gate(patterns, internet);
  const server = new Server({ allowHalfOpen: true, pauseOnConnect: true });
  const connections = serve(server, { http: httpFace(gate), socks: socksFace(gate) });
  const folder = await mkdtemp(join(temporaryFolder(owner !== undefined), 'codex-lsp-net-'));
  const socket = join(folder, 'proxy.sock');
  const removeFolder = async () => {
    // A server that is closed has done so itself.
    await unlink(socket).catch(() => {});
    await rmdir(folder);
  };
  let removed: Promise<void> | undefined;
  try {
    server.listen(socket);
    await once(server, 'listening');
    await chmod(socket, 0o600);
    if (owner) {
      await chown(socket, owner.uid, owner.gid);
      // It stays ours: what is in a folder of somebody else's is not for us to remove.
      await chmod(folder, 0o711);
    }
  } catch (error) {
    server.close();
    await removeFolder();
    throw error;
  }
  // A bound socket needs its name no more, and what has no name can't be left behind by our own death.
  server.once('connection', () => {
    removed = removeFolder();
    removed.catch(() => {});
  });
  server.on('error', () => {});
  return {
    socket,
    get refusedHosts() {
      return gate.refusedHosts;
    },
    get wasReached() {
      return removed !== undefined;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      gate.close();
      for (const connection of connections) connection.destroy();
      await closed;
      await (removed ?? removeFolder()).catch(() => {});
    },
  };
}

/** Answers the live connections. */
function serve(
  server: Server,
  faces: { http: (socket: Socket) => void; socks: (socket: Socket) => void },
): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  const waiting = new Set<Socket>();
  let served = 0;
  const begin = (socket: Socket) => {
    waiting.delete(socket);
    served++;
    socket.setTimeout(silentTimeoutMs, () => socket.destroy());
    socket.once('close', () => {
      served--;
      const [next] = waiting;
      if (next) begin(next);
    });
    // Without a word.
    const gone = () => socket.destroy();
    socket.once('end', gone);
    socket.once('data', (first: Buffer) => {
      socket.off('end', gone).pause();
      socket.unshift(first);
      if (first[0] === socksVersion) {
        faces.socks(socket);
      } else {
        faces.http(socket);
        socket.resume();
      }
    });
    socket.resume();
  };
  server.on('connection', (socket) => {
    if (connections.size >= connectionsMax + connectionsWaitingMax) {
      socket.destroy();
      return;
    }
    connections.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      connections.delete(socket);
      waiting.delete(socket);
    });
    if (served < connectionsMax) begin(socket);
    else waiting.add(socket);
  });
  return connections;
}

/** Where the path is short enough; for another user, where everybody can enter. */
function temporaryFolder(isForAnother: boolean): string {
  const fits = (folder: string) =>
    Buffer.byteLength(join(folder, 'codex-lsp-net-XXXXXX/proxy.sock')) <= socketPathBytesMax;
  return !isForAnother && fits(tmpdir()) ? tmpdir() : '/tmp';
}
