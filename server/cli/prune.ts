/** Archived threads that have had their time go when nobody waits for anything: by the user's own settings alone. */
import { removeShown } from '../editor/shown-files.ts';
import { homeFolderOf } from '../protocol/folders.ts';
import type { Tasks } from '../task/tasks.ts';
import { type CliOptions, readSettings } from './options.ts';

/** Never rejects: what can't be removed now can be the next time. Nothing goes where the settings have a mistake. */
export async function pruneBySettings(
  tasks: Pick<Tasks, 'prune'>,
  { environment, flags }: Pick<CliOptions, 'environment'> & { flags: readonly string[] },
  log: (message: string) => void,
): Promise<void> {
  try {
    const { settings, problems } = await readSettings(environment, flags);
    if (problems.length > 0) return log(`archived threads are kept, because of the settings: ${problems[0]?.message}`);
    for (const { threadId, workspace } of await tasks.prune(settings.retention)) {
      await removeShown(homeFolderOf(workspace), threadId).catch(() => {});
      log(`archived thread ${threadId} was removed: retention`);
    }
  } catch (error) {
    log(`archived threads were not looked at: ${error instanceof Error ? error.message : String(error)}`);
  }
}
