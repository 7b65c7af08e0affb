/** What is to be in the place of a file: made beside it first, put there in one step, or thrown away. */
import { randomUUID } from 'node:crypto';
import { rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeNew } from './atomic.ts';
import { inFolder, type Owner } from './owner.ts';

export type Content =
  | { kind: 'file'; bytes: string | Uint8Array; mode: number; owner: Owner | undefined }
  /** It has no mode, and stays ours. */
  | { kind: 'symlink'; target: string }
  | { kind: 'absent' };

export type Staged = {
  /** `check`: at the very last moment; where it throws, nothing has happened. Once. */
  place(check: () => Promise<void>): Promise<void>;
  /** Does nothing to what was put in its place. */
  discard(): Promise<void>;
};

/** `file`: absolute; its folder is a real path, and there. `tag`: begins the name of what is not in its place yet. */
export async function stage(file: string, content: Content, tag: string): Promise<Staged> {
  const name = `.${tag}.${randomUUID()}${suffix}`;
  const within = (work: (folder: string) => Promise<void>) => inFolder(dirname(file), work);
  if (content.kind === 'absent') {
    return {
      place: (check) => within((folder) => check().then(() => rm(join(folder, basename(file)), { force: true }))),
      discard: async () => {},
    };
  }
  await within(async (folder) => {
    if (content.kind === 'symlink') await symlink(content.target, join(folder, name));
    else await writeNew(join(folder, name), content.bytes, { ...content, isDurable: true });
  });
  return {
    place: (check) => within((folder) => check().then(() => rename(join(folder, name), join(folder, basename(file))))),
    discard: () => within((folder) => rm(join(folder, name), { force: true })),
  };
}

/** Left by a crash. */
export const isStaged = (name: string, tag: string): boolean => name.startsWith(`.${tag}.`) && name.endsWith(suffix);

const suffix = '.codex-lsp';
