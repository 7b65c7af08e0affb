/** The user's ignore rules, as git reads them: nested files, those above the workspace, `info/exclude`, the global one. */
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import createIgnore, { type Ignore } from 'ignore';
import { readSmallFile } from './bounded-file.ts';
import { findGitFolder } from './git-folder.ts';
import { joined, parentOf } from './paths.ts';

export const rulesBytesMax = 1024 ** 2;
/** Of one file, and of those above it. */
const rulesMax = 10_000;
/** What takes longer than any path is worth: each of these may match in as many ways as there are folders, or characters. */
const deepWildcardsMax = 3;
const wildcardsInPartMax = 4;
const ruleCharactersMax = 1_000;
/** Of a path; whether it is ignored is decided by these. */
const foldersMax = 100;

/** Asked for workspace-relative paths; `/` at the end says that it is a folder. */
export type IsIgnored = (path: string) => Promise<boolean>;

type Rules = { ignore: Ignore; count: number };

/**
 * The rules of the folder on disk at `root`. Each file of rules is read once: make a new one for each turn. `report` is
 * told of rules that are not used.
 */
export function ignoreRules(root: string, report: (problem: string) => void = () => {}): IsIgnored {
  let start: Promise<{ top: string; prefix: string; rules: Rules }> | undefined;
  const folders = new Map<string, Promise<Rules>>();

  const rulesIn = (folder: string, top: string, first: Rules): Promise<Rules> => {
    const known = folders.get(folder);
    if (known) return known;
    const above = folder === '' ? Promise.resolve(first) : rulesIn(parentOf(folder), top, first);
    const rules = above.then((parent) => withFile(parent, join(top, folder, '.gitignore'), folder, report));
    folders.set(folder, rules);
    return rules;
  };

  return async (path) => {
    start ??= firstRules(root, report);
    const { top, prefix, rules } = await start;
    const full = limited(joined(prefix, path));
    return (await rulesIn(parentOf(full.replace(/\/$/, '')), top, rules)).ignore.ignores(full);
  };
}

/** A path deeper than that is what its folder is. */
export function limited(path: string): string {
  const parts = path.split('/');
  return parts.length <= foldersMax ? path : `${parts.slice(0, foldersMax).join('/')}/`;
}

/** What holds before any `.gitignore`; without git, the workspace is the top. */
async function firstRules(
  root: string,
  report: (problem: string) => void,
): Promise<{ top: string; prefix: string; rules: Rules }> {
  const git = await findGitFolder(root);
  const none: Rules = { ignore: createIgnore({ ignorecase: false }), count: 0 };
  const rules = await withFile(none, globalRules(), '', report);
  if (!git) return { top: root, prefix: '', rules };
  return {
    top: git.top,
    prefix: relative(git.top, root),
    rules: await withFile(rules, join(git.common, 'info/exclude'), '', report),
  };
}

const globalRules = (): string => join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'git/ignore');

/** git follows no symbolic link here either. */
async function withFile(above: Rules, file: string, folder: string, report: (problem: string) => void): Promise<Rules> {
  const text = (await readSmallFile(file, rulesBytesMax))?.toString('utf8');
  if (text === undefined) return above;
  const used = usableRules(text, file, report, above.count);
  if (used.length === 0) return above;
  const ignore = createIgnore({ ignorecase: false }).add(above.ignore).add(rebased(used, folder));
  return { ignore, count: above.count + used.length };
}

/** The lines of a file of rules that are rules, but for those that would take too long. `before`: rules there already. */
export function usableRules(text: string, file: string, report: (problem: string) => void, before = 0): string[] {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const used = lines.filter(isUsable).slice(0, Math.max(0, rulesMax - before));
  const unused = lines.length - used.length;
  if (unused > 0) report(`${file}: ${unused} of ${lines.length} rules are too many or too complex, and are not used`);
  return used;
}

function isUsable(rule: string): boolean {
  const parts = rule.split('/');
  const deep = parts.filter((part) => part.includes('**'));
  const isSimple = (part: string) => part.replaceAll(/\*+/g, '*').split('*').length - 1 <= wildcardsInPartMax;
  return rule.length <= ruleCharactersMax && deep.length <= deepWildcardsMax && parts.every(isSimple);
}

/**
 * A nested file's patterns as patterns of the top: all rules in one list, from the top down, let the last one that
 * matches win, as git does.
 */
function rebased(lines: readonly string[], folder: string): readonly string[] {
  if (folder === '') return lines;
  const prefix = `/${folder.replace(/[\\*?[\]!# ]/g, '\\$&')}/`;
  return lines.map((line) => {
    const negation = line.startsWith('!') ? '!' : '';
    const pattern = line.slice(negation.length);
    const isAnchored = pattern.replace(/\/\s*$/, '').includes('/');
    return `${negation}${prefix}${isAnchored ? '' : '**/'}${pattern.replace(/^\//, '')}`;
  });
}
