/** `codex-lsp --stdio` and `--pipe=PATH`: one editor's connection, for as long as it lasts. */
import { realpath } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { homedir } from 'node:os';
import { serve as serveEditor } from '../editor/serve.ts';
import { openTasks } from '../task/open.ts';
import { openLog } from './log.ts';
import { type CliOptions, UsageError } from './options.ts';

export async function serve(args: readonly string[], options: CliOptions): Promise<number> {
  const { stdin, stdout, stateDir, environment, version, signal } = options;
  const pipe = pipeOf(args);
  const socket = pipe === undefined ? undefined : await open(pipe);
  const tasks = await openTasks({ stateDir });
  const log = openLog(stateDir);
  for (const { message } of options.problems) log(message);
  // One bug must not take the editor's other tasks with it.
  process.on('unhandledRejection', (error) =>
    log(`unhandled: ${error instanceof Error ? error.stack : String(error)}`),
  );
  process.on('uncaughtException', (error) => log(`uncaught: ${error.stack ?? error.message}`));

  const code = await new Promise<number>((resolve) => {
    void (async () => {
      const end = serveEditor({
        input: socket ?? stdin,
        output: socket ?? stdout,
        tasks,
        environment,
        settings: options.sources,
        version,
        stateFolder: await realpath(stateDir),
        homeFolder: homedir(),
        log,
        exit: resolve,
      });
      // What is no pipe, as /dev/null, ends without being closed.
      (socket ?? stdin).once('end', () => resolve(1));
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    })();
  });
  await tasks.close();
  socket?.destroy();
  return code;
}

/** Undefined: stdio. Editors also pass process ids and the like, which are of no use here. */
function pipeOf(args: readonly string[]): string | undefined {
  let pipe: string | undefined;
  let expected = false;
  for (const argument of args) {
    if (expected || argument.startsWith('--pipe=')) pipe = argument.replace(/^--pipe=/, '');
    else if (argument !== '--pipe' && argument !== '--stdio' && !argument.startsWith('--clientProcessId')) {
      throw new UsageError(`'${argument}' is not a flag of the server; it takes --stdio or --pipe=PATH.`);
    }
    expected = argument === '--pipe';
  }
  if (expected || pipe === '') throw new UsageError('--pipe needs the path of the socket that the editor has opened.');
  return pipe;
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', (error) => reject(new Error(`cannot connect to --pipe=${path}: ${error.message}`)));
  });
}
