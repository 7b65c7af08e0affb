import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { applyPatch, pathsOfPatch } from '../../server/changeset/patch-apply.ts';
import { parsePatch, patchGrammar, patchLengthMax } from '../../server/changeset/patch-parse.ts';

type Files = Readonly<Record<string, string | FileState>>;
const stateOf = (file: string | FileState | undefined): FileState =>
  file === undefined ? absent : typeof file === 'string' ? { kind: 'text', text: file, mode: 0o644 } : file;

/** What `patch` makes of `files`: their texts afterwards, or the error. */
function run(files: Files, patch: string): Record<string, string> | string {
  const parsed = parsePatch(patch);
  if (!parsed.ok) return parsed.error;
  const allowed = pathsOfPatch(parsed.sections);
  const result = applyPatch(parsed.sections, (path) => {
    expect(allowed).toContain(path);
    return stateOf(files[path]);
  });
  if (!result.ok) return result.error;
  const after: Record<string, string> = {};
  for (const [path, file] of Object.entries(files)) if (typeof file === 'string') after[path] = file;
  for (const { path, state } of result.writes) {
    if (state.kind === 'absent') delete after[path];
    else after[path] = state.kind === 'text' ? state.text : state.kind;
  }
  return after;
}

const wrap = (...sections: string[]): string => ['*** Begin Patch', ...sections, '*** End Patch'].join('\n');
const update = (path: string, ...lines: string[]): string => wrap(`*** Update File: ${path}`, ...lines);

describe('what a patch makes of files', () => {
  const cases: [name: string, before: Files, patch: string, after: Record<string, string>][] = [
    ['add a file', {}, wrap('*** Add File: bar.md', '+This is', '+new'), { 'bar.md': 'This is\nnew\n' }],
    ['add an empty file', {}, wrap('*** Add File: a/empty'), { 'a/empty': '' }],
    [
      'several operations',
      { 'mod.txt': 'line1\nline2\n', 'del.txt': 'x\n' },
      wrap(
        '*** Add File: nested/new.txt',
        '+created',
        '*** Delete File: del.txt',
        '*** Update File: mod.txt',
        '@@',
        '-line2',
        '+changed',
      ),
      { 'mod.txt': 'line1\nchanged\n', 'nested/new.txt': 'created\n' },
    ],
    [
      'several hunks',
      { 'm.txt': 'line1\nline2\nline3\nline4\n' },
      update('m.txt', '@@', '-line2', '+changed2', '@@', '-line4', '+changed4'),
      { 'm.txt': 'line1\nchanged2\nline3\nchanged4\n' },
    ],
    [
      'move to a new folder, with a change',
      { 'old/name.txt': 'old content\n' },
      update('old/name.txt', '*** Move to: renamed/dir/name.txt', '@@', '-old content', '+new content'),
      { 'renamed/dir/name.txt': 'new content\n' },
    ],
    ['move alone', { 'a.txt': 'x\r\ny' }, update('a.txt', '*** Move to: b.txt'), { 'b.txt': 'x\r\ny' }],
    [
      'add at the end, naming nothing',
      { 'i.txt': 'a\nb\n' },
      update('i.txt', '@@', '+c', '+d'),
      { 'i.txt': 'a\nb\nc\nd\n' },
    ],
    ['add below a named line', { 'i.txt': 'a\nb\n' }, update('i.txt', '@@ a', '+x'), { 'i.txt': 'a\nx\nb\n' }],
    ['add to an empty file', { e: '' }, update('e', '@@', '+x'), { e: 'x\n' }],
    ['no @@ before the first hunk', { f: 'a\nb\n' }, update('f', ' a', '-b', '+c'), { f: 'a\nc\n' }],
    ['only a deletion', { f: 'a\nb\nc\n' }, update('f', '@@', ' a', '-b', ' c'), { f: 'a\nc\n' }],
    ['delete every line', { f: 'a\nb\n' }, update('f', '@@', '-a', '-b'), { f: '' }],
    [
      'the end-of-file marker picks the last place',
      { t: 'end\nx\nend\n' },
      update('t', '@@', '-end', '+END', '*** End of File'),
      { t: 'end\nx\nEND\n' },
    ],
    [
      'the end-of-file marker is no obstacle elsewhere',
      { t: 'end\nx\n' },
      update('t', '@@', '-end', '+END', '*** End of File'),
      { t: 'END\nx\n' },
    ],
    [
      'anchors narrow the search, one after the other',
      { c: 'class A\n  f()\n    1\nclass B\n  e()\n    1\n  f()\n    1\n' },
      update('c', '@@ class B', '@@   f()', '-    1', '+    2'),
      { c: 'class A\n  f()\n    1\nclass B\n  e()\n    1\n  f()\n    2\n' },
    ],
    [
      'an anchor that is the first line of the hunk as well',
      { c: 'f()\n  1\n' },
      update('c', '@@ f()', ' f()', '-  1', '+  2'),
      { c: 'f()\n  2\n' },
    ],
    [
      "a unified diff's header",
      { c: 'a\nf()\n  1\n' },
      update('c', '@@ -2,2 +2,2 @@ f()', '-  1', '+  2'),
      { c: 'a\nf()\n  2\n' },
    ],
    [
      'padded markers',
      { 'f.txt': 'old\n', g: '1\n' },
      '\n  *** Begin Patch  \n  *** Update File: f.txt  \n @@ \n-old\n+new\n*** Update File: g \n@@\n-1\n+2\n *** End Patch \n\n',
      { 'f.txt': 'new\n', g: '2\n' },
    ],
    ['a heredoc around it', { f: 'a\n' }, `apply_patch <<'EOF'\n${update('f', '-a', '+b')}\nEOF\n`, { f: 'b\n' }],
    ['a bare heredoc', { f: 'a\n' }, `<<PATCH\n${update('f', '-a', '+b')}\nPATCH`, { f: 'b\n' }],
    ['a code fence around it', { f: 'a\n' }, `\`\`\`diff\n${update('f', '-a', '+b')}\n\`\`\``, { f: 'b\n' }],
    ['a patch in CRLF', { f: 'a\nb\n' }, update('f', '-a', '+c').replaceAll('\n', '\r\n'), { f: 'c\nb\n' }],
    ['paths are made normal', { 'a/f': 'a\n' }, update('./a//f', '-a', '+b'), { 'a/f': 'b\n' }],
    [
      'trailing white space may differ, and what stays stays',
      { f: 'a \nb\n' },
      update('f', ' a', '-b', '+c'),
      { f: 'a \nc\n' },
    ],
    [
      'indentation may differ, and what stays stays',
      { f: '\ta\n\tb\n' },
      update('f', '   a', '-  b', '+\tc'),
      { f: '\ta\n\tc\n' },
    ],
    ['typography may differ', { f: '“it’s” – ok\n' }, update('f', '-"it\'s" - ok', '+x'), { f: 'x\n' }],
    ['an exact place wins over an earlier lenient one', { f: ' a\na\n' }, update('f', '-a', '+b'), { f: ' a\nb\n' }],
    ['letters of any language', { f: 'naïve café\n' }, update('f', '-naïve café', '+日本 ✅'), { f: '日本 ✅\n' }],
    ['an empty line without its space', { f: 'a\n\nb\n' }, update('f', '@@', ' a', '', '-b', '+c'), { f: 'a\n\nc\n' }],
    [
      'air between sections',
      { f: 'a\nb\n', g: '1\n' },
      wrap(
        '*** Update File: f',
        '@@',
        '-a',
        '+b',
        '',
        '*** Update File: g',
        '',
        '@@',
        '-1',
        '+2',
        '',
        '*** Add File: h',
        '+x',
        '',
      ),
      { f: 'b\nb\n', g: '2\n', h: 'x\n' },
    ],
    ['CRLF stays', { f: 'a\r\nb\r\nc\r\n' }, update('f', ' a', '-b', '+B', '+B2'), { f: 'a\r\nB\r\nB2\r\nc\r\n' }],
    ['mixed line ends stay', { f: 'a\r\nb\nc\r\n' }, update('f', ' a', '-b', '+B', ' c'), { f: 'a\r\nB\nc\r\n' }],
    ['a line end that the patch changes', { f: 'a\nb\n' }, update('f', '-a', '+a\r'), { f: 'a\r\nb\n' }],
    ['added at the end of CRLF', { f: 'a\r\nb\r\n' }, update('f', '@@', '+c'), { f: 'a\r\nb\r\nc\r\n' }],
    ['no final newline: change above', { f: 'a\nb' }, update('f', '-a', '+A'), { f: 'A\nb' }],
    ['no final newline: the last line changes', { f: 'a\nb' }, update('f', '-b', '+B'), { f: 'a\nB' }],
    ['no final newline: lines follow', { f: 'a\r\nb' }, update('f', ' b', '+c'), { f: 'a\r\nb\r\nc' }],
    ['no final newline: an empty last line gives one', { f: 'a\nb' }, update('f', '-b', '+B', '+'), { f: 'a\nB\n' }],
    ['no final newline: the last line goes', { f: 'a\nb' }, update('f', ' a', '-b'), { f: 'a\n' }],
    ['one line without newline', { f: 'a' }, update('f', '-a', '+b'), { f: 'b' }],
    ['a byte order mark stays', { f: '\ufeffa\nb\n' }, update('f', '-a', '+A'), { f: '\ufeffA\nb\n' }],
    ['a lone CR is part of its line', { f: 'a\rb\nc\n' }, update('f', ' a\rb', '-c', '+d'), { f: 'a\rb\nd\n' }],
    [
      'a folder comes where a file was',
      { a: 'x\n' },
      wrap('*** Add File: a/b', '+y', '*** Delete File: a'),
      { 'a/b': 'y\n' },
    ],
    [
      'context that looks like a marker',
      { f: '*** Update File: x\nb\n' },
      update('f', ' *** Update File: x', '-b', '+c'),
      { f: '*** Update File: x\nc\n' },
    ],
  ];
  test.each(cases)('%s', (_name, before, patch, after) => {
    expect(run(before, patch)).toEqual(after);
  });

  test('mode survives an update and a move; what goes is written first', () => {
    const parsed = parsePatch(
      wrap('*** Add File: z', '+1', '*** Update File: run.sh', '*** Move to: bin/run', '@@', '-a', '+b'),
    );
    if (!parsed.ok) throw new Error(parsed.error);
    const script: FileState = { kind: 'text', text: 'a\n', mode: 0o755 };
    expect(applyPatch(parsed.sections, (path) => (path === 'run.sh' ? script : absent))).toEqual({
      ok: true,
      writes: [
        { path: 'run.sh', state: absent },
        { path: 'z', state: { kind: 'text', text: '1\n', mode: 0o644 } },
        { path: 'bin/run', state: { kind: 'text', text: 'b\n', mode: 0o755 } },
      ],
      files: [
        { path: 'z', kind: 'create' },
        { path: 'bin/run', kind: 'rename' },
      ],
    });
  });
});

describe('what is refused, and why', () => {
  const link: FileState = { kind: 'symlink', target: '/etc' };
  const blob: FileState = { kind: 'binary', hash: '1', size: 3, mode: 0o644 };
  const fifo: FileState = { kind: 'other', what: 'a fifo' };
  const folder: FileState = { kind: 'other', what: 'a folder' };
  const cases: [name: string, before: Files, patch: string, error: string | RegExp][] = [
    [
      'an empty patch',
      {},
      wrap(),
      'Line 2 of the patch: the patch has no `*** Add File:`, `*** Update File:` or `*** Delete File:`.',
    ],
    ['no beginning', {}, 'hello', 'Line 1 of the patch, `hello`: a patch begins with `*** Begin Patch`.'],
    ['nothing', {}, '', /a patch begins with/],
    [
      'no end',
      {},
      '*** Begin Patch\n*** Add File: a\n+x',
      'Line 3 of the patch, `+x`: a patch ends with `*** End Patch`.',
    ],
    ['an unknown section', {}, wrap('*** Frobnicate File: foo'), /Line 2 .*expected `\*\*\* Add File: PATH`/],
    ['an update without a hunk', { f: 'a\n' }, update('f'), 'Line 3 of the patch: the update of f has no hunk.'],
    ['a hunk without lines', { f: 'a\n' }, update('f', '@@'), /no lines/],
    [
      'a line that is no hunk line',
      { f: 'a\n' },
      update('f', '@@', '-a', 'b'),
      /Line 5 of the patch, `b`: a line of a hunk begins/,
    ],
    ['an added line without +', {}, wrap('*** Add File: f', 'x'), /every line of an added file begins with `\+`/],
    [
      'a missing file to update',
      {},
      update('f', '-a', '+b'),
      'Nothing was changed. Cannot update f: there is no such file.',
    ],
    [
      'a missing file to delete',
      {},
      wrap('*** Delete File: f'),
      'Nothing was changed. Cannot delete f: there is no such file.',
    ],
    [
      'a folder to delete',
      { d: folder },
      wrap('*** Delete File: d'),
      /it is a folder, and a patch is for text files only/,
    ],
    ['a symlink', { l: link }, update('l', '-a', '+b'), /it is a symbolic link \(to \/etc\)/],
    ['a binary file', { b: blob }, wrap('*** Delete File: b'), /it is a binary file/],
    ['a fifo', { p: fifo }, update('p', '-a', '+b'), /it is a fifo/],
    ['adding over a file', { f: 'a\n' }, wrap('*** Add File: f', '+b'), /Cannot add f: a file is there already/],
    [
      'moving over a file',
      { f: 'a\n', g: 'b\n' },
      update('f', '*** Move to: g', '-a', '+b'),
      /Cannot move f to g: a file is there/,
    ],
    ['moving onto itself', { f: 'a\n' }, update('f', '*** Move to: ./f'), /f has a section already/],
    [
      'adding below a file',
      { a: 'x\n' },
      wrap('*** Add File: a/b', '+y'),
      'Nothing was changed. Cannot write a/b: a is a file, not a folder.',
    ],
    [
      'adding below a link',
      { a: link },
      wrap('*** Add File: a/b/c', '+y'),
      /a is a symbolic link \(to \/etc\), not a folder/,
    ],
    ['updating below a link', { a: link, 'a/f': 'a\n' }, update('a/f', '-a', '+b'), /a is a symbolic link/],
    [
      'a file and a folder of one name',
      {},
      wrap('*** Add File: a', '+x', '*** Add File: a/b', '+y'),
      /a is a file, not a folder/,
    ],
    ['a path out of the workspace', {}, wrap('*** Add File: a/../../b', '+x'), /the path contains `..`/],
    ['a move out of the workspace', { f: 'a\n' }, update('f', '*** Move to: ../f'), /the path contains `..`/],
    ['an absolute path', {}, wrap('*** Add File: /tmp/x', '+x'), /the path is absolute/],
    ['an absolute path of Windows', {}, wrap('*** Add File: C:\\x', '+x'), /the path is absolute/],
    ["git's folder", {}, wrap('*** Add File: sub/.GIT/hooks/x', '+x'), /the path is git's own/],
    ["git's folder by its short name", {}, wrap('*** Add File: GIT~1/config', '+x'), /the path is git's own/],
    [
      "git's folder with ignorable characters",
      {},
      wrap('*** Add File: .g\u200cit/config', '+x'),
      /the path is git's own/,
    ],
    ["the server's own documents", {}, wrap('*** Add File: .codex/local/review.diff', '+x'), /the path is kept by/],
    ['NUL', {}, wrap('*** Add File: a\0b', '+x'), /the path contains a NUL character/],
    ['no path', {}, wrap('*** Add File:  ', '+x'), /the path is empty/],
    [
      'one file twice',
      { f: 'a\n' },
      wrap('*** Update File: f', '-a', '+b', '*** Delete File: ./f'),
      /Line 5 .*f has a section already/,
    ],
    ['a patch too long', {}, 'x'.repeat(patchLengthMax + 1), /The patch has 2000001 characters; the most is 2000000/],
    [
      'all or nothing',
      { f: 'a\n' },
      wrap('*** Add File: new', '+x', '*** Update File: f', '@@', '-missing', '+b'),
      'Nothing was changed. Cannot update f: the hunk (line 5 of the patch) does not fit: these lines are not in the file:\n  missing\n' +
        'Nothing in the file comes close; read it again.',
    ],
    [
      'the closest place',
      { f: 'a\nb\nc\nd\n' },
      update('f', '@@', '-a', '+A', '@@', ' b', '-x', ' d'),
      'Nothing was changed. Cannot update f: hunk 2 of 2 (line 6 of the patch) does not fit: these lines are not in the file:\n  b\n  x\n  d\n' +
        'The closest place is line 2: 2 of 3 lines fit, but at line 3 the file has\n  c',
    ],
    [
      'out of order',
      { f: 'a\nb\n' },
      update('f', '@@', '-b', '+B', '@@', '-a', '+A'),
      /They stand at line 1, but earlier hunks reach to line 2/,
    ],
    [
      'before its anchor',
      { f: 'a\nb\n' },
      update('f', '@@ b', '-a', '+A'),
      /not in the file after `b`[\s\S]*They stand at line 1, before the line/,
    ],
    [
      'an anchor that is not there',
      { f: 'a\n' },
      update('f', '@@ def g():', '-a', '+A'),
      /there is no line `def g\(\):`/,
    ],
  ];
  test.each(cases)('%s', (_name, before, patch, error) => {
    const result = run(before, patch);
    if (typeof error === 'string') expect(result).toBe(error);
    else expect(result).toMatch(error);
  });

  test('an error shows at most twenty lines, and no line in full length', () => {
    const error = run(
      { f: 'a\n' },
      update('f', '@@', ...Array.from({ length: 500 }, (_, i) => `-${i}${'x'.repeat(1000)}`)),
    );
    expect(error).toMatch(/… \(480 more\)/);
    expect(String(error).length).toBeLessThan(5000);
  });
});

describe('paths are bounded before they are looked at', () => {
  test.each([
    ['folders', `${'d/'.repeat(900_000)}x`, /^Line 2 of the patch, .{0,200}: the path is longer than 4095 bytes\.$/],
    ['dots', `${'./'.repeat(900_000)}x`, /the path is longer than 4095 bytes\.$/],
    ['letters of two bytes', 'é/'.repeat(1400), /the path is longer than 4095 bytes\.$/],
    ['depth', `${'d/'.repeat(100)}x`, /the path has more than 100 parts\.$/],
    ['a name', `d/${'é'.repeat(128)}`, /the path has a part that is longer than 255 bytes\.$/],
  ])('%s', (_name, path, error) => {
    const startedAtMs = performance.now();
    expect(run({}, wrap(`*** Add File: ${path}`, '+x'))).toMatch(error);
    expect(run({ a: 'a\n' }, wrap('*** Update File: a', `*** Move to: ${path}`))).toMatch(
      new RegExp(error.source.replace('Line 2', 'Line 3')),
    );
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });

  test('the longest are taken, with all their folders', () => {
    const name = 'n'.repeat(255);
    const path = `${`${name}/`.repeat(15)}${name}`;
    expect(run({}, wrap(`*** Add File: ${path}`, '+x'))).toEqual({ [path]: 'x\n' });
    expect(run({}, wrap(`*** Add File: ${'d/'.repeat(99)}x`, '+x'))).toEqual({ [`${'d/'.repeat(99)}x`]: 'x\n' });
  });

  test('so are their number', () => {
    const sections = Array.from({ length: 2001 }, (_, i) => `*** Add File: f${i}\n+x`);
    expect(run({}, wrap(...sections))).toMatch(/a patch has at most 2000 paths; send it in parts\.$/);
    expect(Object.keys(run({}, wrap(...sections.slice(1))))).toHaveLength(2000);
  });
});

test('a patch that could be searched for without end is refused in bounded time', () => {
  const lines = 'same\n'.repeat(200_000);
  const hunk = ['@@', ...Array.from({ length: 40 }, () => ' same'), '-other', '+x'];
  const startedAtMs = performance.now();
  expect(run({ f: `${lines}other\n${'same\n'.repeat(200)}other \n` }, update('f', ...hunk, ...hunk))).toEqual({
    f: `${lines}x\n${'same\n'.repeat(200)}x\n`,
  });
  const blanks = '\n'.repeat(200_000);
  const hopeless = Array.from({ length: 2000 }, () => ['@@', ' ', ' ', '-  x', '+y']).flat();
  const many = `${blanks}x\n`.repeat(3);
  expect(run({ f: many }, update('f', ...hopeless))).toMatch(/does not fit/);
  expect(performance.now() - startedAtMs).toBeLessThan(4000);
});

test('a thousand hunks in a hundred thousand lines are a matter of a moment', () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `line ${i}`);
  const hunks = Array.from({ length: 1000 }, (_, i) => ['@@', `-line ${i * 100}`, `+changed ${i}`]).flat();
  const startedAtMs = performance.now();
  const after = run({ f: `${lines.join('\n')}\n` }, update('f', ...hunks));
  expect(performance.now() - startedAtMs).toBeLessThan(2000);
  expect(after).toEqual({ f: `${lines.map((line, i) => (i % 100 === 0 ? `changed ${i / 100}` : line)).join('\n')}\n` });
});

test('the grammar names every marker', () => {
  for (const marker of [
    'Begin Patch',
    'Add File: ',
    'Delete File: ',
    'Update File: ',
    'Move to: ',
    'End of File',
    'End Patch',
  ]) {
    expect(patchGrammar).toContain(`"*** ${marker}"`);
  }
});
