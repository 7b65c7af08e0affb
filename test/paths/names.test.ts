/** Which paths the agent's work may have: what is let through is harmless on every file system, by rules written here anew. */
import { posix } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quotePath, unquotePath } from '../../server/changeset/git-path.ts';
import { parsePatch } from '../../server/changeset/patch-parse.ts';
import { isGitPath, isOwnPath, normalPath, refusalOf } from '../../server/changeset/path-rules.ts';
import { isHidden, parentsOf, pathProblem } from '../../server/workspace/paths.ts';
import { hostilePath } from './hostile.ts';

/** After git's own `is_hfs_dotgit` and `is_ntfs_dotgit` (path.c, utf8.c). */
function isDotGitSomewhere(name: string): boolean {
  const hfs = [...name].filter((char) => !hfsIgnores(char.codePointAt(0) ?? 0)).join('');
  if (/^\.git$/i.test(hfs)) return true;
  return name.split('\\').some((part) => /^(?:\.git|git~1)[ .]*$/i.test(part.replace(/:.*$/s, '')));
}

const hfsIgnores = (code: number): boolean =>
  [
    [0x200c, 0x200f],
    [0x202a, 0x202e],
    [0x206a, 0x206f],
    [0xfeff, 0xfeff],
  ].some(([from = 0, to = 0]) => code >= from && code <= to);

function expectHarmless(path: string): void {
  expect(path.includes('\0')).toBe(false);
  expect(posix.normalize(path)).toBe(path);
  expect(posix.resolve('/root', path).startsWith('/root/')).toBe(true);
  expect(Buffer.byteLength(path)).toBeLessThan(4096);
  for (const name of path.split('/')) {
    expect(Buffer.byteLength(name)).toBeLessThan(256);
    expect([name, isDotGitSomewhere(name)]).toEqual([name, false]);
  }
  expect(path === '.codex/local' || path.startsWith('.codex/local/')).toBe(false);
}

test('a path of the workspace is harmless', () => {
  fc.assert(
    fc.property(hostilePath(), (path) => {
      if (pathProblem(path) === undefined) expectHarmless(path);
    }),
    { numRuns: 3000 },
  );
});

test('a path that a patch may have is harmless, and the copy takes it', () => {
  fc.assert(
    fc.property(hostilePath(), (text) => {
      const path = normalPath(text);
      if (refusalOf(path) !== undefined) return;
      expectHarmless(path);
      expect(pathProblem(path)).toBe(undefined);
      expect(isHidden(path)).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

test('copy and review hide the same', () => {
  fc.assert(
    fc.property(hostilePath(), (path) => {
      if (isHidden(path)) expect(isGitPath(path) || isOwnPath(path)).toBe(true);
      if (isGitPath(path)) expect(isHidden(path)).toBe(true);
      if (path.split('/').some(isDotGitSomewhere)) expect(isHidden(path)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

test('another case or an ignored character makes no name of git pass', () => {
  const ignored = fc.constantFrom('', '\u200c', '\u200f', '\u202e', '\u206a', '\ufeff');
  const disguised = fc
    .tuple(
      fc.constantFrom('.git', 'git~1'),
      fc.array(fc.tuple(fc.boolean(), ignored), { minLength: 5, maxLength: 5 }),
      fc.constantFrom('', '.', ' ', '. .'),
    )
    .map(
      ([name, marks, end]) =>
        [...name].map((char, at) => (marks[at]?.[0] ? char.toUpperCase() : char) + (marks[at]?.[1] ?? '')).join('') +
        end,
    );
  fc.assert(
    fc.property(disguised, (name) => {
      expect([pathProblem(`a/${name}/config`), refusalOf(`a/${name}/config`)]).not.toContain(undefined);
    }),
  );
});

test('a name in two Unicode forms is two paths, each kept as it is', () => {
  expect(normalPath('caf\u00e9')).not.toBe(normalPath('cafe\u0301'));
  for (const path of ['caf\u00e9/x', 'cafe\u0301/x', '\u202etxt.exe', 'new\nline']) {
    expect([
      pathProblem(path),
      refusalOf(path),
      parentsOf(path).every((folder) => path.startsWith(`${folder}/`)),
    ]).toEqual([undefined, undefined, true]);
  }
});

test.each(['Add File', 'Delete File', 'Update File'])(
  '%s: whatever stands there, the paths of a patch are harmless',
  (kind) => {
    const body = kind === 'Add File' ? '+x\n' : kind === 'Update File' ? '@@\n-a\n+b\n' : '';
    fc.assert(
      fc.property(hostilePath(), fc.option(hostilePath()), (path, to) => {
        const move = to !== null && kind === 'Update File' ? `*** Move to: ${to}\n` : '';
        const parsed = parsePatch(`*** Begin Patch\n*** ${kind}: ${path}\n${move}${body}*** End Patch\n`);
        if (!parsed.ok) return;
        for (const section of parsed.sections) {
          for (const named of [section.path, section.to ?? section.path]) {
            expectHarmless(named);
            expect(pathProblem(named)).toBe(undefined);
          }
        }
      }),
      { numRuns: 1000 },
    );
  },
);

test('a patch changes the path that it names, and no other', () => {
  fc.assert(
    fc.property(hostilePath(), (path) => {
      if (/[\n\r]/.test(path) || path.trim() !== path || refusalOf(normalPath(path)) !== undefined) return;
      const parsed = parsePatch(`*** Begin Patch\n*** Add File: ${path}\n+x\n*** End Patch\n`);
      if (parsed.ok) expect(parsed.sections.map((section) => section.path)).toEqual([normalPath(path)]);
    }),
    { numRuns: 1000 },
  );
});

test('a quoted path is one line, and comes back', () => {
  fc.assert(
    fc.property(hostilePath(), (path) => {
      const quoted = quotePath(path);
      expect(/[\n\r]/.test(quoted)).toBe(false);
      expect(unquotePath(quoted)).toBe(path);
    }),
    { numRuns: 2000 },
  );
});
