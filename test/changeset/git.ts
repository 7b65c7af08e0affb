/** The real git, to hold our own diff and merge against. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Files } from './states.ts';

const environment = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', LC_ALL: 'C' };

export function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'codex-lsp-git-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The files after `git apply`, as they were if it refused; and what it said. */
export function gitApply(
  files: Files,
  patch: string,
  ...options: readonly string[]
): { files: Record<string, string>; said: string } {
  return inFolder((folder) => {
    execFileSync('git', ['init', '-q'], { cwd: folder, env: environment });
    for (const [path, state] of Object.entries(files)) {
      const at = join(folder, path);
      mkdirSync(dirname(at), { recursive: true });
      if (state.kind === 'text') {
        writeFileSync(at, state.text);
        chmodSync(at, state.mode);
      } else if (state.kind === 'symlink') symlinkSync(state.target, at);
      else if (state.kind === 'binary') {
        writeFileSync(at, `\0${state.hash}`);
        chmodSync(at, state.mode);
      }
    }
    const apply = (...flags: string[]) =>
      spawnSync('git', ['apply', '--whitespace=nowarn', ...options, ...flags], {
        cwd: folder,
        env: environment,
        input: patch,
        encoding: 'utf8',
      });
    const check = apply('--check');
    const said = check.status === 0 ? apply().stderr : check.stderr;
    return { files: tree(folder, ''), said };
  });
}

/** `path` → `mode content`; of a link, `link target`. */
function tree(root: string, folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const at = join(root, path);
    if (entry.isDirectory()) {
      if (path !== '.git') Object.assign(found, tree(root, path));
    } else if (entry.isSymbolicLink()) found[path] = `link ${readlinkSync(at)}`;
    else found[path] = `${lstatSync(at).mode & 0o111 ? '755' : '644'} ${readFileSync(at, 'utf8')}`;
  }
  return found;
}

/** What `git apply` should leave of these files. */
export function asTree(files: Files): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [path, state] of Object.entries(files)) {
    if (state.kind === 'text') found[path] = `${state.mode & 0o111 ? '755' : '644'} ${state.text}`;
    if (state.kind === 'binary') found[path] = `${state.mode & 0o111 ? '755' : '644'} \0${state.hash}`;
    if (state.kind === 'symlink') found[path] = `link ${state.target}`;
  }
  return found;
}

export type ThreeTexts = { base: string; ours: string; theirs: string };

/** The merged texts, undefined where git finds a conflict. */
export function mergeFiles(all: readonly ThreeTexts[]): (string | undefined)[] {
  return inFolder((folder) => {
    all.forEach((texts, index) => {
      for (const [name, content] of Object.entries(texts)) writeFileSync(join(folder, `${index}.${name}`), content);
    });
    const each = 'git merge-file -p -q $at.ours $at.base $at.theirs > $at.merged || rm $at.merged';
    const loop = `at=0; while [ $at -lt ${all.length} ]; do ${each}; at=$((at + 1)); done`;
    execFileSync('sh', ['-c', loop], { cwd: folder, env: environment });
    const merged = new Set(readdirSync(folder).filter((name) => name.endsWith('.merged')));
    return all.map((_, index) =>
      merged.has(`${index}.merged`) ? readFileSync(join(folder, `${index}.merged`), 'utf8') : undefined,
    );
  });
}
