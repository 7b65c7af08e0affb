/** One editor's connection, from `initialize` to `exit`. stdout carries only what is written here. */
import type { Readable, Writable } from 'node:stream';
import { createMessageConnection, ResponseError, StreamMessageReader } from 'vscode-jsonrpc/node';
import { InvalidParams, Refusal } from '../task/refusal.ts';
import { stateFault } from '../task/state-fault.ts';
import { createClient } from './client.ts';
import { run } from './commands.ts';
import { isMethod } from './handlers.ts';
import { initialize } from './initialize.ts';
import { notifications, type Room, requests } from './language-features.ts';
import { Outgoing, waitingBytesMax } from './outgoing.ts';
import { Publisher } from './publish.ts';
import { Session, type Surroundings } from './session.ts';

export type ServeOptions = Omit<Surroundings, 'log'> & {
  input: Readable;
  output: Writable;
  /** For what a person may want to read afterwards; never stdout. */
  log?: (message: string) => void;
  /** Called once: 0 after `shutdown` and `exit`, 1 after `exit` alone or when the connection is lost. Ends nothing itself. */
  exit(code: number): void;
};

const invalidParams = -32602;
const requestFailed = -32803;
const internalError = -32603;
const methodNotFound = -32601;
const invalidRequest = -32600;
const notInitialized = -32002;

/** Speaks LSP until the editor leaves. Returns the function that ends the connection. */
export function serve({ input, output, exit, ...surroundings }: ServeOptions): (code: number) => void {
  const log = surroundings.log ?? (() => {});
  const outgoing = new Outgoing(output, () => {
    log(
      `an editor did not read for so long that ${waitingBytesMax / 1024 ** 2} MiB were waiting for it: it is served no longer`,
    );
    output.destroy();
    end(1);
  });
  const connection = createMessageConnection(new StreamMessageReader(input), outgoing);
  const client = createClient(connection);
  const session = new Session(client, { ...surroundings, log });
  const detach = surroundings.tasks.attach(session.documents);
  const failed = (error: unknown): void => log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const publisher = new Publisher(session, failed);
  const room: Room = { session, publisher };
  let state: 'new' | 'running' | 'shutDown' | 'ended' = 'new';

  const end = (code: number): void => {
    if (state === 'ended') return;
    state = 'ended';
    publisher.close();
    detach();
    session.end();
    connection.dispose();
    exit(code);
  };

  connection.onRequest(async (method: string, params: unknown) => {
    if (method === 'initialize' && state === 'new') {
      state = 'running';
      publisher.start();
      return initialize(session, params);
    }
    if (state === 'new') throw new ResponseError(notInitialized, 'The first request must be initialize.');
    if (state !== 'running') throw new ResponseError(invalidRequest, 'The server is shutting down.');
    if (method === 'shutdown') {
      state = 'shutDown';
      return null;
    }
    try {
      return await answer(room, method, params);
    } catch (error) {
      const wrong = responseError(stateFault(error, surroundings.stateFolder), method, failed);
      // Helix shows no error of a command.
      if (method === 'workspace/executeCommand') client.show('error', `Codex: ${wrong.message}`);
      throw wrong;
    }
  });

  connection.onNotification((method: string, params: unknown) => {
    if (method === 'exit') end(state === 'shutDown' ? 0 : 1);
    if (state !== 'running') return;
    const handle = Object.hasOwn(notifications, method) ? notifications[method] : undefined;
    try {
      handle?.(room, params, method);
    } catch (error) {
      failed(error);
    }
  });

  connection.onError(([error]) => failed(error));
  connection.onClose(() => end(state === 'shutDown' ? 0 : 1));
  connection.listen();
  return (code) => end(code);
}

async function answer(room: Room, method: string, params: unknown): Promise<unknown> {
  if (isMethod(method)) return run(method, room.session, params);
  const handle = Object.hasOwn(requests, method) ? requests[method] : undefined;
  if (!handle) throw new ResponseError(methodNotFound, `Unknown method ${method}.`);
  return (await handle(room, params, method)) ?? null;
}

/** Expected failures carry what the caller can act on; a bug is logged, and the server lives on. */
function responseError(error: unknown, method: string, failed: (error: unknown) => void): ResponseError<unknown> {
  if (error instanceof ResponseError) return error;
  if (error instanceof InvalidParams) return new ResponseError(invalidParams, error.message);
  if (error instanceof Refusal)
    return new ResponseError(requestFailed, error.message, { reason: error.reason, ...error.data });
  failed(error);
  return new ResponseError(
    internalError,
    `Something went wrong inside codex-lsp while it handled ${method}; the log says what.`,
  );
}
