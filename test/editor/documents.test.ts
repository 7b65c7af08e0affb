import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Documents } from '../../server/editor/documents.ts';

const uri = 'file:///w/a.txt';
const range = (line: number, character: number, endLine: number, endCharacter: number) => ({
  start: { line, character },
  end: { line: endLine, character: endCharacter },
});
const textOf = (documents: Documents, of = uri): string | undefined => documents.get(of)?.getText();

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'codex-documents-')));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The slow, obvious way to apply a change: utf-16 units, lines that end at CR LF, LF or CR. */
function reference(text: string, change: { range?: ReturnType<typeof range>; text: string }): string {
  if (!change.range) return change.text;
  const lines = text.split(/(?<=\r\n|\n|\r(?!\n))/);
  if (lines.length === 0 || /[\r\n]$/.test(lines.at(-1) ?? '')) lines.push('');
  const offset = ({ line, character }: { line: number; character: number }): number => {
    if (line >= lines.length) return text.length;
    const before = lines.slice(0, line).reduce((sum, { length }) => sum + length, 0);
    return before + Math.min(character, (lines[line] ?? '').replace(/(\r\n|\n|\r)$/, '').length);
  };
  return text.slice(0, offset(change.range.start)) + change.text + text.slice(offset(change.range.end));
}

const someText = fc
  .array(fc.constantFrom('a', 'b', 'é', '👍', '\n', '\r\n', ' '), { maxLength: 12 })
  .map((parts) => parts.join(''));
const place = fc.record({ line: fc.nat(6), character: fc.nat(8) });
const someChange = fc.oneof(
  { weight: 1, arbitrary: someText.map((text) => ({ text })) },
  {
    weight: 6,
    arbitrary: fc.record({ a: place, b: place, text: someText }).map(({ a, b, text }) => {
      const [start, end] = a.line < b.line || (a.line === b.line && a.character <= b.character) ? [a, b] : [b, a];
      return { range: { start, end }, text };
    }),
  },
);

test('random incremental edits, in any batches and under any versions, equal the reference', () => {
  fc.assert(
    fc.property(
      someText,
      fc.array(fc.array(someChange, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
      fc.nat(5),
      (start, batches, jump) => {
        const documents = new Documents();
        documents.open(uri, 'plaintext', 0, start);
        let expected = start;
        let version = 0;
        for (const changes of batches) {
          version += jump;
          documents.change(uri, version, changes);
          for (const change of changes) expected = reference(expected, change);
          expect(textOf(documents)).toBe(expected);
          expect(documents.get(uri)?.version).toBe(version);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('positions are utf-16, and a place behind the end is the end', () => {
  const documents = new Documents();
  documents.open(uri, 'plaintext', 0, 'a👍b\r\nc');
  documents.change(uri, 1, [{ range: range(0, 3, 0, 4), text: 'B' }]);
  expect(textOf(documents)).toBe('a👍B\r\nc');
  documents.change(uri, 2, [{ range: range(0, 99, 9, 9), text: '!' }]);
  expect(textOf(documents)).toBe('a👍B!');
});

test('opened twice: the second is the truth', () => {
  const documents = new Documents();
  documents.open(uri, 'plaintext', 3, 'old');
  documents.open(uri, 'plaintext', 3, 'new');
  expect(textOf(documents)).toBe('new');
  documents.close(uri);
  expect(textOf(documents)).toBeUndefined();
});

test('a change of all the text opens a document', () => {
  const documents = new Documents();
  documents.change(uri, 4, [
    { range: range(0, 0, 0, 9), text: 'lost' },
    { text: 'abc' },
    { range: range(0, 1, 0, 2), text: 'B' },
  ]);
  expect(textOf(documents)).toBe('aBc');
  expect(documents.get(uri)?.version).toBe(4);
});

test('a change before didOpen starts from the file on disk, in order', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a b.txt');
    await writeFile(path, 'one\ntwo\n');
    const documents = new Documents();
    const its = pathToFileURL(path).href;
    documents.change(its, 1, [{ range: range(0, 0, 0, 3), text: 'ONE' }]);
    documents.change(its, 2, [{ range: range(1, 0, 1, 3), text: 'TWO' }]);
    await documents.settled();
    expect(textOf(documents, its)).toBe('ONE\nTWO\n');
    expect(documents.get(its)?.version).toBe(2);
    expect(documents.under(folder)).toEqual(new Map([['a b.txt', { version: 2, text: 'ONE\nTWO\n' }]]));
  }));

test('a didOpen that comes after such a change is the truth; without a file the base is empty', () =>
  inFolder(async (folder) => {
    const its = pathToFileURL(join(folder, 'new.txt')).href;
    const documents = new Documents();
    documents.change(its, 1, [{ range: range(0, 0, 0, 0), text: 'x' }]);
    documents.open(its, 'plaintext', 1, 'opened');
    await documents.settled();
    expect(textOf(documents, its)).toBe('opened');
    documents.close(its);
    documents.change(its, 1, [{ range: range(0, 0, 0, 0), text: 'x' }]);
    await documents.settled();
    expect(textOf(documents, its)).toBe('x');
  }));

test('a close while the base is read leaves nothing open', () =>
  inFolder(async (folder) => {
    const its = pathToFileURL(join(folder, 'new.txt')).href;
    const documents = new Documents();
    documents.change(its, 1, [{ range: range(0, 0, 0, 0), text: 'x' }]);
    documents.close(its);
    await documents.settled();
    expect(documents.all()).toEqual([]);
  }));

test.each([['untitled:Untitled-1'], ['jdt://contents/x.class'], ['not a uri'], ['file://host/share/x'], ['']])(
  '%j is kept, and is no file',
  async (its) => {
    const documents = new Documents();
    documents.open(its, 'plaintext', 1, 'text');
    documents.change(its, 2, [{ range: range(0, 0, 0, 1), text: 'T' }]);
    await documents.settled();
    expect(textOf(documents, its)).toBe('Text');
    expect(documents.pathOf(its)).toBeUndefined();
    expect(documents.under('/')).toEqual(new Map());
    documents.close(its);
    documents.close(its);
    expect(documents.all()).toEqual([]);
  },
);

test('what clients send beside the protocol is taken for what it means', () => {
  const documents = new Documents();
  documents.open(uri, 'plaintext', 1, 'abc');
  documents.change(uri, undefined, [JSON.parse('{"range":null,"rangeLength":null,"text":"xyz"}')]);
  documents.change(uri, undefined, [
    JSON.parse(
      '{"range":{"start":{"line":0,"character":0},"end":{"line":0,"character":1}},"rangeLength":null,"text":"X"}',
    ),
  ]);
  expect(textOf(documents)).toBe('Xyz');
  expect(documents.get(uri)?.version).toBe(3);
});

test('symlinks: of the folder, inside of it, and of the file itself', () =>
  inFolder(async (folder) => {
    const real = join(folder, 'real');
    await mkdir(join(real, 'src'), { recursive: true });
    await writeFile(join(real, 'src/a.txt'), 'a');
    await symlink(real, join(folder, 'link'));
    await symlink(join(real, 'src'), join(real, 'other'));
    const documents = new Documents();
    const open = (path: string): void => documents.open(pathToFileURL(join(folder, path)).href, 'plaintext', 1, path);
    open('link/src/a.txt');
    documents.folderIs(join(folder, 'link'), real);
    // Known at once, for the folder is.
    expect([...documents.under(real).keys()]).toEqual(['src/a.txt']);
    documents.close(pathToFileURL(join(folder, 'link/src/a.txt')).href);
    open('link/other/a.txt');
    open('real/src/new.txt');
    await documents.settled();
    expect([...documents.under(real).keys()].toSorted()).toEqual(['src/a.txt', 'src/new.txt']);
    expect(documents.at(join(real, 'src/a.txt'))?.getText()).toBe('link/other/a.txt');
    expect(documents.under(join(folder, 'rea'))).toEqual(new Map());
  }));

test('a map that was handed out does not change later', () => {
  const documents = new Documents();
  documents.open(uri, 'plaintext', 1, 'one');
  const before = documents.under('/w');
  documents.change(uri, 2, [{ text: 'two' }]);
  expect(before).toEqual(new Map([['a.txt', { version: 1, text: 'one' }]]));
});

test('a keystroke in a large document is quick', () => {
  const documents = new Documents();
  documents.open(uri, 'plaintext', 0, 'some words of a line\n'.repeat(50_000));
  const times: number[] = [];
  for (let version = 1; version <= 200; version++) {
    const before = performance.now();
    documents.change(uri, version, [{ range: range(25_000, version, 25_000, version), text: 'x' }]);
    times.push(performance.now() - before);
  }
  expect(times.toSorted((a, b) => a - b)[100]).toBeLessThan(20);
});
