/** Changes that can make something run outside the sandbox later: they are never part of "accept all". */
import { type FileState, gitMode } from './file-state.ts';

const folders: Readonly<Record<string, string>> = {
  '.vscode': 'editor configuration',
  '.idea': 'editor configuration',
  '.zed': 'editor configuration',
  '.helix': 'editor configuration',
  '.nvim': 'editor configuration',
  '.cursor': 'agent configuration',
  '.codex': 'agent configuration',
  '.claude': 'agent configuration',
  '.agents': 'agent configuration',
  '.devcontainer': 'container configuration',
  '.husky': 'git hooks',
  '.githooks': 'git hooks',
  '.circleci': 'CI configuration',
};

const names: readonly (readonly [RegExp, string])[] = [
  [/^\.(?:exrc|nvimrc|vimrc|lvimrc|nvim\.lua|dir-locals(?:-2)?\.el)$|\.code-workspace$/, 'editor configuration'],
  [/^\.envrc$/, 'shell configuration'],
  [/^\.mcp\.json$/, 'agent configuration'],
  [/^(?:\.gitlab-ci\.ya?ml|\.travis\.ya?ml|jenkinsfile)$/, 'CI configuration'],
  [/^(?:\.pre-commit-config\.ya?ml|\.?lefthook(?:-local)?\.ya?ml)$/, 'git hooks'],
  [/^\.git(?:modules|attributes|config)$/, 'git configuration'],
  [/^\.(?:npmrc|yarnrc.*|pnpmfile\.c?js)$/, 'package manager configuration'],
];

/** Why "all" should leave this change out, as a short phrase; undefined if nothing speaks against it. */
export function sensitiveReason(path: string, base: FileState | 'unknown', agent: FileState): string | undefined {
  return byPath(path) ?? byState(path, base, agent);
}

function byPath(path: string): string | undefined {
  const parts = path.toLowerCase().split('/');
  for (const [index, part] of parts.entries()) {
    const reason = index < parts.length - 1 || parts.length === 1 ? folders[part] : undefined;
    if (reason) return reason;
    if (part === '.github' && /^(?:workflows|actions)$/.test(parts[index + 1] ?? '')) return 'CI configuration';
  }
  const name = parts.at(-1) ?? '';
  return names.find(([pattern]) => pattern.test(name))?.[1];
}

function byState(path: string, base: FileState | 'unknown', agent: FileState): string | undefined {
  if (agent.kind === 'other') return `${agent.what}, which can't be applied`;
  if (agent.kind === 'symlink')
    return leavesRoot(path, agent.target) ? 'symbolic link out of the workspace' : undefined;
  if (agent.kind === 'absent') return undefined;
  if (isExecutable(agent) && !(base !== 'unknown' && isExecutable(base))) return 'new executable';
  if (agent.kind === 'text' && /(?:^|\/)HEAD$/.test(path) && /^(?:ref: refs\/|[0-9a-f]{40})/.test(agent.text)) {
    return 'part of a git repository';
  }
  return undefined;
}

const isExecutable = (state: FileState): boolean =>
  (state.kind === 'text' || state.kind === 'binary') && gitMode(state.mode) === 0o755;

/** Also true of a link into git's folder: it is a way around the rule that `.git` is never touched. */
function leavesRoot(path: string, target: string): boolean {
  if (target.startsWith('/')) return true;
  const at = path.split('/').slice(0, -1);
  for (const name of target.split('/')) {
    if (name === '..') {
      if (at.pop() === undefined) return true;
    } else if (name !== '' && name !== '.') {
      at.push(name);
    }
  }
  return at.some((name) => name.toLowerCase() === '.git');
}
