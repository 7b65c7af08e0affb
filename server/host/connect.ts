/** A connection to the host: to the one that runs, or to one that is started for it. */
import { readFile } from 'node:fs/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { stateFault } from '../task/state-fault.ts';
import { openStateFolder } from '../task/state-folder.ts';
import { firstLine } from './first-line.ts';
import type { Introduction, Welcome } from './hello.ts';
import { hostPlace, openHostFolder } from './place.ts';

export type Connected =
  | { socket: Socket }
  /** The host has understood, and does not do it. */
  | { refused: string; exitCode: number }
  /** There is none, for this reason. */
  | { none: string };

/** The reason where nothing is wrong: none was to be started. */
export const noHostRuns = 'no host runs';

const answerTimeoutMs = 5_000;
const answerBytesMax = 64 * 1024;
/** A host that was just ending is gone at the second try; the one that is started then is there at the third. */
const triesMax = 3;

/** `program`: given where a host may be started. Never throws. */
export async function connectHost(options: {
  stateDir: string;
  version: string;
  introduction: Introduction;
  program?: string;
}): Promise<Connected> {
  try {
    return await tries(options);
  } catch (error) {
    return { none: error instanceof Error ? error.message : String(error) };
  }
}

async function tries({
  stateDir,
  version,
  introduction,
  program,
}: Parameters<typeof connectHost>[0]): Promise<Connected> {
  const folder = await openStateFolder(stateDir);
  const place = await hostPlace(folder, version);
  await openHostFolder(place.folder).catch((error: unknown) => {
    throw stateFault(error, folder);
  });
  for (let attempt = 1; ; attempt += 1) {
    const socket = await open(place.socket);
    if (socket) {
      const connected = await introduce(socket, place.token, introduction);
      if (connected) return connected;
      if (attempt === triesMax) return { none: 'the host does not answer' };
    } else if (program === undefined) return { none: noHostRuns };
    if (attempt === triesMax) return { none: 'the host ended again and again' };
    if (program === undefined || socket) continue;
    const { startHost } = await import('./start.ts');
    const started = await startHost({ program, stateDir: folder, environment: introduction.environment });
    if ('reason' in started) return { none: started.reason };
  }
}

/** Undefined where nobody listens. */
export function open(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const isNobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
      if (isNobody) resolve(undefined);
      else reject(new Error(`the socket of the host cannot be used: ${error.message}`));
    });
  });
}

/** Undefined where the host went away instead of answering, or another came in its place. */
async function introduce(
  socket: Socket,
  tokenFile: string,
  introduction: Introduction,
): Promise<Connected | undefined> {
  // What is wrong with it later is seen by whoever uses it.
  socket.on('error', () => {});
  const read = (): Promise<string> =>
    readFile(tokenFile, 'utf8').catch((error: Error) => {
      socket.destroy();
      throw new Error(`the token of the host cannot be read: ${error.message}`);
    });
  const token = await read();
  socket.write(`${JSON.stringify({ codexLsp: 1, token: token.trim(), ...introduction })}\n`);
  const line = await firstLine(socket, { bytesMax: answerBytesMax, timeoutMs: answerTimeoutMs });
  const answer = line === undefined ? undefined : welcomeOf(line);
  if (answer && 'welcome' in answer) return { socket };
  socket.destroy();
  // One that goes may still have answered while its successor's token stood there already.
  const isOthers = (await read().catch(() => '')) !== token;
  return answer && 'refused' in answer && !isOthers ? answer : undefined;
}

/** Of our own version, or it is none. */
function welcomeOf(line: string): Welcome | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
