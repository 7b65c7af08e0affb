/** What a patch makes of files: all of it or nothing. */

import type { FileKind } from '../protocol/changeset.ts';
import { absent, type FileState } from './file-state.ts';
import { patchText } from './patch-hunks.ts';
import type { PatchSection } from './patch-parse.ts';
import { foldersOf } from './path-rules.ts';

export type AppliedPatch =
  /** A path that goes is written as absent. `files`: one for each section; of a move, the new path. */
  | { ok: true; writes: { path: string; state: FileState }[]; files: { path: string; kind: FileKind }[] }
  | { ok: false; error: string };

/** Every path that `applyPatch` may ask `read` for: those of the sections and the folders they stand in. */
export function pathsOfPatch(sections: readonly PatchSection[]): Set<string> {
  const paths = new Set<string>();
  for (const { path, to } of sections) {
    for (const named of to === undefined ? [path] : [path, to]) {
      paths.add(named);
      for (const folder of foldersOf(named)) paths.add(folder);
    }
  }
  return paths;
}

/** The error is for the model: which file, which hunk, why, and what would help. */
export function applyPatch(sections: readonly PatchSection[], read: (path: string) => FileState): AppliedPatch {
  const writes = new Map<string, FileState>();
  const files: { path: string; kind: FileKind }[] = [];
  for (const section of sections) {
    const result = applySection(section, read);
    if (typeof result === 'string') return { ok: false, error: `Nothing was changed. ${result}` };
    for (const { path, state } of result.writes) writes.set(path, state);
    files.push(result.file);
  }
  for (const [path, state] of writes) {
    const later = state.kind === 'absent' ? undefined : writes;
    const fault = folderFault(path, (folder) => later?.get(folder) ?? read(folder));
    if (fault) return { ok: false, error: `Nothing was changed. ${fault}` };
  }
  // What goes makes room first: a folder may come where a file was.
  const ordered = [...writes].map(([path, state]) => ({ path, state }));
  ordered.sort((a, b) => Number(b.state.kind === 'absent') - Number(a.state.kind === 'absent'));
  return { ok: true, writes: ordered, files };
}

type SectionResult = { writes: { path: string; state: FileState }[]; file: { path: string; kind: FileKind } };

function applySection(section: PatchSection, read: (path: string) => FileState): SectionResult | string {
  const { path } = section;
  const now = read(path);
  if (section.kind === 'add') {
    if (now.kind !== 'absent')
      return `Cannot add ${path}: ${existing(now)} is there already. Use \`*** Update File:\`.`;
    const text = section.lines.map((line) => `${line}\n`).join('');
    return { writes: [{ path, state: { kind: 'text', text, mode: 0o644 } }], file: { path, kind: 'create' } };
  }
  if (now.kind !== 'text') {
    const what =
      now.kind === 'absent' ? 'there is no such file' : `it is ${existing(now)}, and a patch is for text files only`;
    return `Cannot ${section.kind} ${path}: ${what}.`;
  }
  if (section.kind === 'delete') return { writes: [{ path, state: absent }], file: { path, kind: 'delete' } };
  const { to } = section;
  if (to !== undefined && read(to).kind !== 'absent') {
    return `Cannot move ${path} to ${to}: ${existing(read(to))} is there already.`;
  }
  const patched = patchText(path, now.text, section.hunks);
  if (!patched.ok) return patched.error;
  const state: FileState = { ...now, text: patched.text };
  if (to === undefined) return { writes: [{ path, state }], file: { path, kind: 'modify' } };
  return {
    writes: [
      { path, state: absent },
      { path: to, state },
    ],
    file: { path: to, kind: 'rename' },
  };
}

function existing(state: FileState): string {
  if (state.kind === 'text') return 'a file';
  if (state.kind === 'symlink') return `a symbolic link (to ${state.target})`;
  if (state.kind === 'binary') return 'a binary file';
  return state.kind === 'other' ? state.what : 'nothing';
}

/** On the way to a file there are only folders: no file, and no link, which could lead out of the workspace. */
function folderFault(path: string, state: (folder: string) => FileState): string | undefined {
  for (const folder of foldersOf(path)) {
    const now = state(folder);
    if (now.kind === 'text' || now.kind === 'binary' || now.kind === 'symlink') {
      return `Cannot write ${path}: ${folder} is ${existing(now)}, not a folder.`;
    }
  }
  return undefined;
}
