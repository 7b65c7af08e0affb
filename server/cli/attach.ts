/** `codex-lsp --stdio` and `--pipe=PATH`: relays one editor to the host; serves it in this process where there can be none. */
import { connect, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { connectHost } from '../host/connect.ts';
import { relay } from '../host/relay.ts';
import { openLog } from './log.ts';
import { stateDirOf } from './places.ts';
import { UsageError } from './usage-error.ts';

/** Of this process, before anything but its arguments was looked at. */
export type Shell = {
  environment: Readonly<Record<string, string | undefined>>;
  /** What stood behind `-c`. */
  flags: readonly string[];
  cwd: string;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  signal: AbortSignal;
  version: string;
  /** Of the files that this process runs. */
  build: string;
  /** The script that was started, absolute: the host is started by it too. */
  program: string | undefined;
};

export async function attach(args: readonly string[], shell: Shell): Promise<number> {
  const { stdin, stdout, stderr, version, signal, program } = shell;
  const { pipe, isAlone } = parse(args);
  const stateDir = stateDirOf(shell.environment);
  const socket = pipe === undefined ? undefined : await open(pipe);
  const editor = { input: socket ?? stdin, output: socket ?? stdout };
  const introduction = {
    kind: 'editor' as const,
    build: shell.build,
    environment: definedIn(shell.environment),
    flags: [...shell.flags],
  };
  const connected = isAlone ? undefined : await connectHost({ stateDir, version, introduction, program });
  if (!connected || 'none' in connected) {
    const { serve } = await import('./serve.ts');
    return serve(editor, { shell, stateDir, reason: connected?.none });
  }
  if ('refused' in connected) {
    stderr.write(`codex-lsp: ${connected.refused}\n`);
    return connected.exitCode;
  }
  const host = connected.socket;
  if (signal.aborted) host.end();
  signal.addEventListener('abort', () => host.end(), { once: true });
  const code = await relay(editor, host);
  if (code === undefined) openLog(stateDir)('the host of this editor went away');
  // What the editor has not read yet is still on its way.
  if (socket) await new Promise<void>((resolve) => socket.end(resolve));
  return code ?? 1;
}

export const definedIn = (environment: Shell['environment']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/** `pipe`: undefined for stdio. Editors also pass process ids and the like, which are of no use here. */
function parse(args: readonly string[]): { pipe: string | undefined; isAlone: boolean } {
  let pipe: string | undefined;
  let expected = false;
  for (const argument of args) {
    if (expected || argument.startsWith('--pipe=')) pipe = argument.replace(/^--pipe=/, '');
    else if (!['--pipe', '--stdio', '--no-host'].includes(argument) && !argument.startsWith('--clientProcessId')) {
      throw new UsageError(
        `'${argument}' is not a flag of the server; it takes --stdio or --pipe=PATH, and --no-host beside them.`,
      );
    }
    expected = argument === '--pipe';
  }
  if (expected || pipe === '') throw new UsageError('--pipe needs the path of the socket that the editor has opened.');
  return { pipe, isAlone: args.includes('--no-host') };
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', (error) => reject(new Error(`cannot connect to --pipe=${path}: ${error.message}`)));
  });
}
