/** An editor that is served in its own process: no host could be started, or none was wanted. */
import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { serve as serveEditor } from '../editor/serve.ts';
import { openTasks } from '../task/open.ts';
import { openStateFolder } from '../task/state-folder.ts';
import type { Shell } from './attach.ts';
import { logUncaught, openLog } from './log.ts';
import { readSettings } from './options.ts';

/** `reason`: why there is no host; absent where none was wanted. */
export async function serve(
  { input, output }: { input: Readable; output: Writable },
  { shell, stateDir, reason }: { shell: Shell; stateDir: string; reason?: string },
): Promise<number> {
  const { environment, flags, version, signal } = shell;
  const { sources, problems } = await readSettings(environment, flags);
  const tasks = await openTasks({ stateDir });
  const log = openLog(stateDir);
  if (reason !== undefined) log(`served in the editor's own process, without a host: ${reason}`);
  for (const { message } of problems) log(message);
  logUncaught(log);
  const stateFolder = await openStateFolder(stateDir);

  const code = await new Promise<number>((resolve) => {
    const end = serveEditor({
      input,
      output,
      tasks,
      environment,
      settings: sources,
      version,
      stateFolder,
      homeFolder: homedir(),
      log,
      exit: resolve,
    });
    // What is no pipe, as /dev/null, ends without being closed.
    input.once('end', () => resolve(1));
    if (signal.aborted) end(0);
    signal.addEventListener('abort', () => end(0), { once: true });
  });
  await tasks.close();
  return code;
}
