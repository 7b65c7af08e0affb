/** Lets a connection in, or refuses it with a sentence: by its first line, or by its `initialize` where it speaks LSP at once. */
import type { Socket } from 'node:net';
import { type Direct, readDirect } from './direct.ts';
import { firstLine } from './first-line.ts';
import { type Hello, helloBytesMax, helloSchema, type Welcome } from './hello.ts';
import { isToken } from './listen.ts';

export type Guest = Hello | ({ kind: 'direct' } & Direct);

const helloTimeoutMs = 30_000;
/** Connections at a time that have not yet said who they are. Whoever comes then is turned away, and may come again. */
export const strangersMax = 128;

/** The same as `accept`, for all who come to one host. `full` is told when somebody is turned away. */
export function doorOf(full: (message: string) => void): typeof accept {
  let strangers = 0;
  return async (socket, token) => {
    if (strangers >= strangersMax) {
      full(`${strangersMax} connections wait to be let in: others are turned away`);
      socket.destroy();
      return undefined;
    }
    strangers += 1;
    return accept(socket, token).finally(() => {
      strangers -= 1;
    });
  };
}

/** Undefined where nobody was let in; the connection is closed by then. */
export async function accept(socket: Socket, token: string): Promise<Guest | undefined> {
  const first = await firstByte(socket);
  if (first === undefined) return undefined;
  return first === '{' ? acceptHello(socket, token) : acceptDirect(socket, token);
}

/** What follows is the guest's. */
export const welcome = (socket: Socket): void => answer(socket, { welcome: true });

export function refuse(socket: Socket, refused: string, exitCode: number): void {
  answer(socket, { refused, exitCode });
  socket.destroySoon();
}

/** Another build of the program: a host of its own is to be started for it. */
export function replaced(socket: Socket): void {
  answer(socket, { replaced: true });
  socket.destroySoon();
}

async function acceptHello(socket: Socket, token: string): Promise<Guest | undefined> {
  const line = await firstLine(socket, { bytesMax: helloBytesMax, timeoutMs: helloTimeoutMs });
  const hello = helloSchema.safeParse(parsed(line));
  if (hello.success && isToken(hello.data.token, token)) return hello.data;
  refuse(socket, hello.success ? 'the token is not that of this host.' : 'the first line is no greeting.', 1);
  return undefined;
}

async function acceptDirect(socket: Socket, token: string): Promise<Guest | undefined> {
  const direct = await readDirect(socket, (given) => isToken(given, token));
  return direct && { kind: 'direct', ...direct };
}

const answer = (socket: Socket, text: Welcome): void => void socket.write(`${JSON.stringify(text)}\n`);

/** Undefined where none comes in time; the connection is closed then. */
function firstByte(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    const gone = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    const timer = setTimeout(gone, helloTimeoutMs);
    const ends = ['end', 'close'];
    for (const name of ends) socket.once(name, gone);
    socket.once('data', (chunk: Buffer) => {
      clearTimeout(timer);
      for (const name of ends) socket.off(name, gone);
      socket.pause();
      socket.unshift(chunk);
      resolve(chunk.toString('latin1', 0, 1));
    });
  });
}

function parsed(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '');
  } catch {
    return undefined;
  }
}
