/** The tasks that a subcommand works on: the host's, or its own for as long as it takes. */
import { openTasks } from '../task/open.ts';
import type { Tasks } from '../task/tasks.ts';
import type { CliOptions } from './options.ts';

/** Its own are closed when `run` ends, which ends their turns. */
export async function withTasks<T>({ tasks, stateDir }: CliOptions, run: (tasks: Tasks) => Promise<T>): Promise<T> {
  if (tasks) return run(tasks);
  const own = await openTasks({ stateDir });
  try {
    return await run(own);
  } finally {
    await own.close();
  }
}
