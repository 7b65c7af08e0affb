/** The documents of several connections: who sees whose, and for how long a buffer is what a file was. */
import { expect, test } from 'vitest';
import { DocumentsOfAll } from '../../server/task/documents-of-all.ts';
import type { OpenDocuments } from '../../server/task/ports.ts';
import { Superseded } from '../../server/task/superseded.ts';

const root = '/w';

class Buffers implements OpenDocuments {
  readonly #texts = new Map<string, string>();

  show(path: string, text: string): this {
    this.#texts.set(path, text);
    return this;
  }

  under() {
    return new Map([...this.#texts].map(([path, text]) => [path, { version: 1, text }]));
  }
}

const texts = (documents: OpenDocuments): [string, string][] =>
  [...documents.under(root)].map(([path, { text }]) => [path, text]);

test('each sees its own, and the others beside it in the order in which they came, while they are there', () => {
  const all = new DocumentsOfAll(new Superseded());
  const [a, b, c] = ['A', 'B', 'C'].map((text) => new Buffers().show('a.txt', text));
  if (!a || !b || !c) throw new Error('three');
  const detach = [a, b, c].map((buffers) => all.attach(buffers));
  const seen = all.seenBy(b);
  const others = () => seen.others?.().flatMap(texts);
  expect(texts(seen)).toEqual([['a.txt', 'B']]);
  expect(others()).toEqual([
    ['a.txt', 'A'],
    ['a.txt', 'C'],
  ]);
  detach[0]?.();
  expect(others()).toEqual([['a.txt', 'C']]);
  expect(all.seenBy(new Buffers()).others?.().flatMap(texts)).toEqual([
    ['a.txt', 'B'],
    ['a.txt', 'C'],
  ]);
});

test('what one editor has loaded anew, another may still show as it was; what is typed there is true again', () => {
  const superseded = new Superseded();
  const all = new DocumentsOfAll(superseded);
  const [one, other] = [new Buffers().show('a.txt', 'old'), new Buffers().show('a.txt', 'old')];
  for (const buffers of [one, other]) all.attach(buffers);
  superseded.wrote(root, 'a.txt', { kind: 'text', text: 'new', mode: 0o644 }, 'old');
  expect([texts(all.seenBy(one)), texts(all.seenBy(other))]).toEqual([[], []]);

  one.show('a.txt', 'new');
  expect(texts(all.seenBy(one))).toEqual([['a.txt', 'new']]);
  expect(texts(all.seenBy(other))).toEqual([]);
  expect(all.seenBy(one).others?.().flatMap(texts)).toEqual([]);

  other.show('a.txt', 'typed');
  expect(texts(all.seenBy(other))).toEqual([['a.txt', 'typed']]);
  other.show('a.txt', 'old');
  expect(texts(all.seenBy(other))).toEqual([['a.txt', 'old']]);
});
