/** What every subcommand gets: settings, environment, where state lives, where to write. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { parseFlag, resolveSettings } from '../policy/settings.ts';
import type { Settings } from '../protocol/settings.ts';

export type CliOptions = {
  settings: Settings;
  /** The layers below the editor's, lowest first, for a server that has two more to add. */
  sources: readonly { origin: 'config.json' | 'flags'; value: unknown }[];
  /** What was wrong in them: `message` is a line that names the path. */
  problems: readonly { path: string; message: string }[];
  environment: NodeJS.ProcessEnv;
  stateDir: string;
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  signal: AbortSignal;
  version: string;
};

/** Bad usage: a sentence, and exit 2. */
export class UsageError extends Error {}

const absolute = (path: string | undefined): string | undefined => (path && isAbsolute(path) ? path : undefined);

export function stateDirOf(environment: NodeJS.ProcessEnv): string {
  const named = environment.CODEX_LSP_STATE_DIR;
  if (named) {
    if (!isAbsolute(named)) throw new UsageError(`CODEX_LSP_STATE_DIR must be an absolute path; it is '${named}'.`);
    return named;
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'codex-lsp');
  return join(absolute(environment.XDG_STATE_HOME) ?? join(homedir(), '.local', 'state'), 'codex-lsp');
}

export const configPathOf = (environment: NodeJS.ProcessEnv): string =>
  join(absolute(environment.XDG_CONFIG_HOME) ?? join(homedir(), '.config'), 'codex-lsp', 'config.json');

/** Settings of config.json and the `-c` flags. A broken config.json is a problem to report, never a crash. */
export async function readSettings(
  environment: NodeJS.ProcessEnv,
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
