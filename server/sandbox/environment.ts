/** The environment a command sees: a short list of names, never the server's own; pure. */
import { isAbsolute } from 'node:path';
import { holdsPath, type Workspace } from '../protocol/folders.ts';
import { isInside } from '../protocol/path-inside.ts';

export { isInside };

/** The Node that runs the server is bound here, so that `node` works even where the home folder is hidden. */
export const nodeFolder = '/run/codex-lsp/node';

/** Passed on as they are. */
const passedNames = ['LANG', 'LANGUAGE', 'TZ', 'COLORTERM'];

const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Same for every command: no colours, no pager, no question. */
const quiet = {
  TERM: 'dumb',
  NO_COLOR: '1',
  CI: '1',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  SHELL: '/bin/bash',
  TMPDIR: '/tmp',
};

/**
 * `environment`: the environment of whoever asked. `names`: what the user's settings pass on beyond the list.
 * The workspace's folders are never on PATH: what lies there is not the user's choice.
 */
export function commandEnvironment(
  options: Workspace & {
    environment: Readonly<Record<string, string | undefined>>;
    names: readonly string[];
    home: string;
    user: string;
    hasNode: boolean;
  },
): Record<string, string> {
  const { environment, names, home, user, hasNode } = options;
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value.includes('\0') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    if (passedNames.includes(name) || name.startsWith('LC_')) result[name] = value;
  }
  Object.assign(result, quiet, { HOME: home, USER: user, LOGNAME: user, EMAIL: `${user}@localhost` });
  result.PATH = commandPath(environment.PATH ?? '', options, hasNode);
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined && !value.includes('\0') && !name.includes('=') && name !== '') result[name] = value;
  }
  return result;
}

function commandPath(path: string, workspace: Workspace, hasNode: boolean): string {
  const outside = path.split(':').filter((folder) => isAbsolute(folder) && !holdsPath(workspace, folder));
  return [...new Set([...(hasNode ? [`${nodeFolder}/bin`] : []), ...outside, ...systemPath])].join(':');
}
