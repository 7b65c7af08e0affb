/** The user's ignore rules, as git reads them: nested files, those above the workspace, `info/exclude`, the global one. */
import { constants, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import createIgnore, { type Ignore } from 'ignore';
import { findGitFolder } from './git-folder.ts';
import { joined, parentOf } from './paths.ts';

const rulesBytesMax = 1024 ** 2;

/** Asked for workspace-relative paths; `/` at the end says that it is a folder. */
export type IsIgnored = (path: string) => Promise<boolean>;

/** The rules of the folder on disk at `root`. Each file of rules is read once: make a new one for each turn. */
export function ignoreRules(root: string): IsIgnored {
  let start: Promise<{ top: string; prefix: string; rules: Ignore }> | undefined;
  const folders = new Map<string, Promise<Ignore>>();

  const rulesIn = (folder: string, top: string, first: Ignore): Promise<Ignore> => {
    const known = folders.get(folder);
    if (known) return known;
    const above = folder === '' ? Promise.resolve(first) : rulesIn(parentOf(folder), top, first);
    const rules = above.then(async (parent) => {
      const text = await readRules(join(top, folder, '.gitignore'));
      return text === undefined ? parent : empty().add(parent).add(rebased(text, folder));
    });
    folders.set(folder, rules);
    return rules;
  };

  return async (path) => {
    start ??= firstRules(root);
    const { top, prefix, rules } = await start;
    const full = joined(prefix, path);
    return (await rulesIn(parentOf(full.replace(/\/$/, '')), top, rules)).ignores(full);
  };
}

const empty = (): Ignore => createIgnore({ ignorecase: false });

/** What holds before any `.gitignore`; without git, the workspace is the top. */
async function firstRules(root: string): Promise<{ top: string; prefix: string; rules: Ignore }> {
  const git = await findGitFolder(root);
  const rules = empty().add((await readRules(globalRules())) ?? '');
  if (!git) return { top: root, prefix: '', rules };
  rules.add((await readRules(join(git.common, 'info/exclude'))) ?? '');
  return { top: git.top, prefix: relative(git.top, root), rules };
}

const globalRules = (): string => join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'git/ignore');

/** git follows no symbolic link here either. */
async function readRules(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  try {
    const status = await handle?.stat();
    if (!status?.isFile() || status.size > rulesBytesMax) return undefined;
    return await handle?.readFile('utf8');
  } finally {
    await handle?.close();
  }
}

/**
 * A nested file's patterns as patterns of the top: all rules in one list, from the top down, let the last one that
 * matches win, as git does.
 */
function rebased(text: string, folder: string): string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  if (folder === '') return lines;
  const prefix = `/${folder.replace(/[\\*?[\]!# ]/g, '\\$&')}/`;
  return lines.flatMap((line) => {
    if (line.startsWith('#') || line.trim() === '') return [];
    const negation = line.startsWith('!') ? '!' : '';
    const pattern = line.slice(negation.length);
    const isAnchored = pattern.replace(/\/\s*$/, '').includes('/');
    return [`${negation}${prefix}${isAnchored ? '' : '**/'}${pattern.replace(/^\//, '')}`];
  });
}
