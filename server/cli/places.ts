/** Where the program keeps its state, and where its settings are looked for. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { UsageError } from './usage-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const absolute = (path: string | undefined): string | undefined => (path && isAbsolute(path) ? path : undefined);

/** Throws `UsageError` where the environment names one that is no absolute path. */
export function stateDirOf(environment: Environment): string {
  const named = environment.CODEX_LSP_STATE_DIR;
  if (named) {
    if (!isAbsolute(named)) throw new UsageError(`CODEX_LSP_STATE_DIR must be an absolute path; it is '${named}'.`);
    return named;
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'codex-lsp');
  return join(absolute(environment.XDG_STATE_HOME) ?? join(homedir(), '.local', 'state'), 'codex-lsp');
}

export const configPathOf = (environment: Environment): string =>
  join(
    absolute(environment.XDG_CONFIG_HOME) ?? join(absolute(environment.HOME) ?? homedir(), '.config'),
    'codex-lsp',
    'config.json',
  );
