/** Finds what is secret in a workspace by a walk over names: bounded, following no link, letting others have their turn. */

import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { isGitName } from '../changeset/path-rules.ts';
import type { Counted } from './counted.ts';
import { isOwn, joined, parentOf } from './paths.ts';
import type { SecretRules } from './secret-rules.ts';

const surveyedEntriesMax = 2_000_000;
const surveyMsMax = 60_000;
export const foundSecretsMax = 10_000;
const gitFoldersMax = 1_000;
const foldersAtOnce = 8;
const entriesPerRead = 256;

/** Where they are ignored and untracked, what lies deeper than this below them is other people's, and is left out. */
const dependencyDepthMax = 2;
const dependencyFolders = new Set([
  ...['node_modules', 'bower_components', 'jspm_packages', '.pnpm-store', '.yarn', 'vendor', 'Pods', '.bundle'],
  ...['.venv', 'venv', 'site-packages', '__pycache__', '.tox', '.nox', '.mypy_cache', '.eggs'],
  ...['target', '.gradle', '.m2', '.cargo', '.stack-work', 'deps', '_build', '.cache', '.next', '.nuxt'],
]);

export type Survey = {
  /** Files, links and whole folders. */
  secrets: Set<string>;
  /** Folders of git, and of bare repositories: their settings may hold credentials. */
  gitFolders: Set<string>;
  /** What can not be hidden, or was not looked at, as sentences. */
  problems: string[];
  /** A limit was reached: there may be more. */
  isTruncated: boolean;
};

type Folder = { path: string; depthLeft: number };

/** `counts` says which folders are the project's own. Never rejects. */
export async function surveyWorkspace(options: { root: string; rules: SecretRules; counts: Counted }): Promise<Survey> {
  const { root, rules, counts } = options;
  const survey: Survey = { secrets: new Set(), gitFolders: new Set(), problems: [], isTruncated: false };
  const deadline = Date.now() + surveyMsMax;
  let entries = 0;
  let level: Folder[] = [{ path: '', depthLeft: Number.POSITIVE_INFINITY }];
  const isOver = () => entries > surveyedEntriesMax || survey.secrets.size >= foundSecretsMax || Date.now() > deadline;

  // Level by level: what lies near the top is found first.
  while (level.length > 0 && !isOver()) {
    const next: Folder[] = [];
    for (let at = 0; at < level.length && !isOver(); at += foldersAtOnce) {
      const looks = level.slice(at, at + foldersAtOnce).map(async (folder) => {
        entries += await surveyFolder({ root, rules, survey, folder: folder.path, isOver }, async (path) => {
          const depthLeft = (await isDependencies(path, counts))
            ? Math.min(dependencyDepthMax, folder.depthLeft - 1)
            : folder.depthLeft - 1;
          if (depthLeft >= 0) next.push({ path, depthLeft });
        });
      });
      await Promise.all(looks);
      await breathe();
    }
    level = next;
  }
  if (isOver()) {
    survey.isTruncated = true;
    survey.problems.push(
      'The workspace holds more files than are searched for secrets: some that look secret may be seen by commands.',
    );
  }
  return survey;
}

/** One folder, not what is below it; resolves with the number of its entries. */
export async function surveyFolder(
  {
    root,
    rules,
    survey,
    folder,
    isOver = () => false,
  }: {
    root: string;
    rules: SecretRules;
    survey: Survey;
    folder: string;
    isOver?: () => boolean;
  },
  into: (path: string) => Promise<void> = async () => {},
): Promise<number> {
  const directory = await opendir(join(root, folder), { bufferSize: entriesPerRead }).catch(() => undefined);
  if (!directory) return 0;
  const gitParts = new Set<string>();
  let entries = 0;
  try {
    for await (const entry of directory) {
      entries += 1;
      // What is buffered comes without a pause.
      if (entries % entriesPerRead === 0) {
        await breathe();
        if (isOver()) break;
      }
      if (entry.name === 'HEAD' || entry.name === 'config' || entry.name === 'objects') gitParts.add(entry.name);
      const path = joined(folder, entry.name);
      if (isOwn(path)) continue;
      if (isGitName(entry.name)) {
        if (entry.isDirectory() && survey.gitFolders.size < gitFoldersMax) survey.gitFolders.add(path);
        continue;
      }
      if (await isSecretEntry(path, entry, rules)) add(survey, path, entry.name);
      else if (entry.isDirectory()) await into(path);
    }
  } catch {
    // A folder that goes away meanwhile has no secrets.
  }
  if (gitParts.size === 3 && survey.gitFolders.size < gitFoldersMax) survey.gitFolders.add(folder);
  return entries;
}

async function isSecretEntry(path: string, entry: Dirent, rules: SecretRules): Promise<boolean> {
  const kind = entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'file';
  const verdict = rules.judge(path, kind);
  return verdict === 'byContent' ? entry.isFile() && (await rules.holdsKey(path)) : verdict === 'secret';
}

function add(survey: Survey, path: string, name: string): void {
  // The replacement character: the bytes are another name than this one, and no list can hold it.
  if (name.includes('\ufffd'))
    survey.problems.push(`${path}: looks secret and can not be hidden, for its name is not UTF-8`);
  else if (survey.secrets.size < foundSecretsMax) survey.secrets.add(path);
}

const isDependencies = async (path: string, counts: Counted): Promise<boolean> =>
  dependencyFolders.has(path.slice(parentOf(path).length).replace('/', '')) && !(await counts.folder(path));
