/**
 * An editor that connects to the socket itself, without a relay: its first message is `initialize`, which carries the
 * token in `initializationOptions.host`, and the environment of its turns beside it.
 */

import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { helloBytesMax } from './hello.ts';

export const directSchema = z.strictObject({
  token: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  flags: z.array(z.string()).default([]),
});
/** `id`: of its `initialize`. */
export type Direct = Omit<z.infer<typeof directSchema>, 'token'> & { id: string | number };

const initializeSchema = z.looseObject({
  id: z.union([z.string(), z.number()]),
  method: z.literal('initialize'),
  params: z.looseObject({ initializationOptions: z.looseObject({ host: directSchema }) }),
});

const initializeTimeoutMs = 30_000;
const tooLarge = Symbol('more than helloBytesMax');
const serverNotInitialized = -32002;

/**
 * Reads it, and leaves it in the socket without what was only for the host. Undefined where it is not what it should be:
 * that is answered, and the connection is closed, here.
 */
export async function readDirect(socket: Socket, isToken: (token: string) => boolean): Promise<Direct | undefined> {
  const body = await Promise.race([firstMessage(socket), delay(initializeTimeoutMs, undefined, { ref: false })]);
  if (body === tooLarge) {
    refuseDirect(socket, null, `initialize is too large: the first message may have ${helloBytesMax / 1024 ** 2} MiB.`);
    return undefined;
  }
  const message = parsed(body);
  const initialize = initializeSchema.safeParse(message);
  if (!initialize.success || !isToken(initialize.data.params.initializationOptions.host.token)) {
    const text = 'initializationOptions.host.token must hold the token of the host; its file lies beside the socket.';
    refuseDirect(socket, idOf(message), text);
    return undefined;
  }
  const { params } = initialize.data;
  const {
    host: { environment, flags },
    ...options
  } = params.initializationOptions;
  socket.unshift(encode({ ...initialize.data, params: { ...params, initializationOptions: options } }));
  return { id: initialize.data.id, environment, flags };
}

/** Its `initialize` is answered by an error, and nothing follows. */
export function refuseDirect(socket: Socket, id: string | number | null, message: string): void {
  socket.write(encode({ id, error: { code: serverNotInitialized, message } }));
  socket.destroySoon();
}

const idOf = (message: unknown): string | number | null =>
  z.looseObject({ id: z.union([z.string(), z.number()]) }).safeParse(message).data?.id ?? null;

function encode(message: object): Buffer {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** The body of the first message of LSP's base protocol; undefined where there is none. What follows stays in the socket. */
function firstMessage(socket: Socket): Promise<string | typeof tooLarge | undefined> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const done = (body: string | typeof tooLarge | undefined): void => {
      socket.pause();
      socket.off('data', take).off('end', gone).off('close', gone);
      resolve(body);
    };
    const gone = (): void => done(undefined);
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const head = bytes.indexOf('\r\n\r\n');
      const length = head < 0 ? Number.NaN : lengthIn(bytes.subarray(0, head).toString('latin1'));
      if (bytes.length > helloBytesMax) {
        done(tooLarge);
        return;
      }
      if (head >= 0 && Number.isNaN(length)) {
        gone();
        return;
      }
      const end = head + 4 + length;
      if (head < 0 || bytes.length < end) return;
      if (bytes.length > end) socket.unshift(bytes.subarray(end));
      done(bytes.subarray(head + 4, end).toString('utf8'));
    };
    socket.on('data', take).on('end', gone).on('close', gone).resume();
  });
}

const lengthIn = (head: string): number => Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? Number.NaN);
