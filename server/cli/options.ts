/** What every subcommand gets: settings, environment, where state lives, where to write. */
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { parseFlag, resolveSettings } from '../policy/settings.ts';
import type { Settings } from '../protocol/settings.ts';
import type { Tasks } from '../task/tasks.ts';
import { configPathOf } from './places.ts';
import { UsageError } from './usage-error.ts';

export type CliOptions = {
  settings: Settings;
  /** The layers below the editor's, lowest first, for a server that has two more to add. */
  sources: readonly { origin: 'config.json' | 'flags'; value: unknown }[];
  /** What was wrong in them: `message` is a line that names the path. */
  problems: readonly { path: string; message: string }[];
  environment: Readonly<Record<string, string | undefined>>;
  stateDir: string;
  /** What relative paths of the arguments count from; absolute. */
  cwd: string;
  /** Where the host carries it out, these are those of the shell that asked. */
  stdin: Readable & { isTTY?: boolean; isFar?: boolean };
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  signal: AbortSignal;
  version: string;
  /** The host's, which goes on when the subcommand ends; else the subcommand opens its own. */
  tasks?: Tasks;
};

/** Settings of config.json and the `-c` flags. A broken config.json is a problem to report, never a crash. */
export async function readSettings(
  environment: CliOptions['environment'],
  flags: readonly string[],
): Promise<Pick<CliOptions, 'settings' | 'sources' | 'problems'>> {
  const broken: { path: string; message: string }[] = [];
  const sources: { origin: 'config.json' | 'flags'; value: unknown }[] = [];
  const path = configPathOf(environment);
  try {
    sources.push({ origin: 'config.json', value: JSON.parse(await readFile(path, 'utf8')) });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      const why = error instanceof Error ? error.message : String(error);
      broken.push({ path, message: `${path} cannot be read as JSON and is ignored: ${why}` });
    }
  }
  for (const flag of flags) {
    const parsed = parseFlag(flag);
    if ('error' in parsed) throw new UsageError(parsed.error);
    sources.push({ origin: 'flags', value: parsed.value });
  }
  const { settings, problems } = resolveSettings(sources);
  return { settings, sources, problems: [...broken, ...problems] };
}
