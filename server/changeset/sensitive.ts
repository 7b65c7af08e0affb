/** Changes that can make something run outside the sandbox later: they are never part of "accept all". */
import { type FileState, gitMode } from './file-state.ts';
import { plainName } from './path-rules.ts';
import { linkReason } from './sensitive-links.ts';

const editor = 'editor configuration';
const instructions = 'agent instructions';
const agents = 'agent configuration';
const containers = 'container configuration';
const hooks = 'git hooks';
const ci = 'CI configuration';
const packages = 'package manager configuration';
const tools = 'tool configuration';

/** Whatever is in them, and they themselves: a link can stand for a folder. */
const folders: ReadonlyMap<string, string> = new Map([
  ...named(editor, '.vscode .idea .fleet .zed .helix .nvim .vim'),
  ...named(agents, '.cursor .codex .claude .agents .gemini .windsurf .roo .continue .opencode .kiro'),
  ...named(containers, '.devcontainer'),
  ...named(hooks, '.husky .githooks'),
  ...named(ci, '.circleci .forgejo .gitea .woodpecker .buildkite'),
  ...named(tools, '.mise'),
]);

function named(reason: string, names: string): [name: string, reason: string][] {
  return names.split(' ').map((name) => [name, reason]);
}

/** Harmless for most of what they hold, but not as a link, which stands for all of it. */
const holders: ReadonlyMap<string, string> = new Map([
  ...named(ci, '.github'),
  ...named(packages, '.cargo .yarn'),
  ...named(tools, '.config'),
]);

/** Of names. */
const files: readonly (readonly [RegExp, string])[] = [
  [/^\.(?:exrc|[gln]?vimrc|nvim\.lua|dir-locals(?:-2)?\.el|luarc\.jsonc?)$/, editor],
  [/^\.?neoconf\.json$|\.(?:code-workspace|sublime-project)$/, editor],
  [/^\.devcontainer\.json$/, containers],
  [/^\.envrc$/, 'shell configuration'],
  [/^(?:\.mcp|opencode)\.jsonc?$/, agents],
  [/^(?:agents?|claude|gemini)(?:\.(?:override|local))?\.md$|^\.(?:cursor|windsurf|cline|roo)rules$/, instructions],
  [/^(?:\.gitlab-ci\.ya?ml|\.travis\.ya?ml|jenkinsfile|\.drone\.ya?ml|\.woodpecker\.ya?ml)$/, ci],
  [/^(?:azure-pipelines|bitbucket-pipelines)\.ya?ml$/, ci],
  [/^(?:\.pre-commit-config\.ya?ml|\.?lefthook(?:-local)?\.ya?ml|\.overcommit\.ya?ml)$/, hooks],
  [/^\.git(?:modules|attributes|config)$/, 'git configuration'],
  [/^\.(?:npmrc|yarnrc.*|pnpmfile\.c?js)$/, packages],
  [/^\.?mise(?:\.[^/]+)?\.toml$/, tools],
  [/^head$/, 'part of a git repository'],
];

/** Of paths, from any folder on. */
const places: readonly (readonly [RegExp, string])[] = [
  [/(?:^|\/)\.github\/(?:workflows|actions)(?:\/|$)/, ci],
  [
    /(?:^|\/)\.github\/(?:copilot-instructions\.md$|(?:instructions|prompts|chatmodes|agents|skills)(?:\/|$))/,
    instructions,
  ],
  [/(?:^|\/)\.github\/hooks(?:\/|$)/, agents],
  [/(?:^|\/)\.cargo\/config(?:\.toml)?$/, packages],
  [/(?:^|\/)\.yarn\/(?:plugins|releases)(?:\/|$)/, packages],
  [/(?:^|\/)\.config\/mise(?:\/|$)/, tools],
  [/(?:^|\/)[^/]+\.git\//, 'part of a git repository'],
];

/**
 * Why "all" should leave this change out, as a short phrase; undefined if nothing speaks against it.
 *
 * `links`: the paths that are symbolic links after the agent's changes, each through `linkKey`.
 */
export function sensitiveReason(
  path: string,
  base: FileState | 'unknown',
  agent: FileState,
  links: ReadonlySet<string> = new Set(),
): string | undefined {
  return byPath(path) ?? byState(path, base, agent, links);
}

function byPath(path: string): string | undefined {
  const parts = path.split('/').map(foldedName);
  const name = parts.at(-1) ?? '';
  const folded = parts.join('/');
  return (
    parts.map((part) => folders.get(part)).find((reason) => reason !== undefined) ??
    holders.get(name) ??
    files.find(([pattern]) => pattern.test(name))?.[1] ??
    places.find(([pattern]) => pattern.test(folded))?.[1]
  );
}

/** Also without what Windows ignores at the end of a name. */
const foldedName = (name: string): string =>
  plainName(name.toUpperCase())
    .replace(/:.*$/s, '')
    .replace(/[. ]+$/, '');

function byState(
  path: string,
  base: FileState | 'unknown',
  agent: FileState,
  links: ReadonlySet<string>,
): string | undefined {
  if (agent.kind === 'other') return `${agent.what}, which can't be applied`;
  if (agent.kind === 'symlink') return linkReason(path, agent.target, links);
  return isExecutable(agent) && !(base !== 'unknown' && isExecutable(base)) ? 'new executable' : undefined;
}

const isExecutable = (state: FileState): boolean =>
  (state.kind === 'text' || state.kind === 'binary') && gitMode(state.mode) === 0o755;
