/** The files of a git folder that may hold credentials, and what a copy shows in their place. */
import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { readSmallFile } from './bounded-file.ts';
import { maskGitConfig } from './mask-git-config.ts';
import { maskUrls } from './mask-text.ts';
import { joined } from './paths.ts';
import { stampOf, statusOf } from './snapshot.ts';

const configBytesMax = 1024 ** 2;
/** `git pull <url>` writes the whole URL into the logs. */
const logBytesMax = 16 * 1024 ** 2;
const charactersAtOnce = 64 * 1024;
/** Of one git folder, with those of its submodules. */
const filesMax = 5_000;
const entriesMax = 50_000;

/** `config`: git's configuration; `text`: with URLs in it; `store`: nothing but credentials. */
export type GitFileKind = 'config' | 'text' | 'store';

/** What is shown: the masked text, nothing at all, or (`clean`) the user's own file. `lower`: its stamp. */
export type Mask = { kind: GitFileKind; lower: string; shown: 'clean' | 'nothing' | { text: string; mode: number } };

const named: Readonly<Record<string, GitFileKind>> = {
  config: 'config',
  'config.worktree': 'config',
  FETCH_HEAD: 'text',
  credentials: 'store',
};
const textFolders = new Set(['logs', 'remotes', 'branches']);
/** Have no configuration, and many files. */
const skipped = new Set(['objects', 'refs', 'hooks', 'lfs', 'info', 'rr-cache', 'rebase-merge', 'rebase-apply']);

/** What git itself keeps beside its configuration: no settings, some of it large. */
const knownOtherwise =
  /^(HEAD|\w+_HEAD|index.*|sharedindex\..*|packed-refs.*|shallow.*|description|\w+_MSG|commondir|gitdir|gc\.(log|pid).*)$/;

/** Relative to the folder, which is absolute. Submodules' folders and linked worktrees' are looked into. */
export async function gitFilesIn(folder: string): Promise<Map<string, GitFileKind>> {
  const files = new Map<string, GitFileKind>();
  let entries = 0;
  const folders = [{ path: '', isText: false }];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const { path, isText } = next;
    const found = await entriesOf(join(folder, path));
    const hasHead = found.some(({ name }) => name === 'HEAD');
    for (const entry of found) {
      entries += 1;
      if (entries > entriesMax || files.size >= filesMax) return files;
      const child = joined(path, entry.name);
      if (entry.isDirectory()) {
        if (isText || !skipped.has(entry.name))
          folders.push({ path: child, isText: isText || textFolders.has(entry.name) });
        continue;
      }
      // Beside it lies what it includes, by whatever name, and what it was before.
      const mayBeConfig = hasHead && !knownOtherwise.test(entry.name);
      const kind = isText ? 'text' : (named[entry.name] ?? (mayBeConfig ? 'config' : undefined));
      if (kind) files.set(child, kind);
    }
  }
  return files;
}

/** None where the folder is gone. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  try {
    for await (const entry of await opendir(folder, { bufferSize: 256 })) {
      entries.push(entry);
      if (entries.length > entriesMax) break;
    }
  } catch {}
  return entries;
}

/** `known`: an earlier answer, which holds while the file is the same. Nothing where there is no file. */
export async function maskOf(file: string, kind: GitFileKind, known?: Mask): Promise<Mask | undefined> {
  const status = await statusOf(file);
  if (!status) return undefined;
  const lower = stampOf(status);
  if (known?.lower === lower) return known;
  const mode = Number(status.mode & 0o777n);
  const shown = async (): Promise<Mask['shown']> => {
    if (kind === 'store') return 'nothing';
    // What is no file, or can't be read by us, may still be read by a command.
    const bytes = await readSmallFile(file, kind === 'config' ? configBytesMax : logBytesMax, { isTheirs: true });
    if (!bytes) return 'nothing';
    const text = bytes.toString('utf8');
    const masked = kind === 'config' ? maskGitConfig(text) : await maskedLog(text);
    if (masked === undefined || masked === text) return 'clean';
    // Only what is text can be written again as it was.
    return Buffer.from(text).equals(bytes) ? { text: masked, mode } : 'nothing';
  };
  return { kind, lower, shown: await shown() };
}

async function maskedLog(text: string): Promise<string> {
  if (!text.includes('://')) return text;
  const masked: string[] = [];
  for (let at = 0; at < text.length; ) {
    const line = text.indexOf('\n', at + charactersAtOnce);
    const end = line < 0 ? text.length : line + 1;
    masked.push(maskUrls(text.slice(at, end)));
    at = end;
    await breathe();
  }
  return masked.join('');
}
