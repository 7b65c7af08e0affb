/** Whose text a turn works on where editors differ, and which unsaved text an accept never writes over. */
import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { inTheWay, together } from '../../server/task/unsaved-elsewhere.ts';

type Texts = Record<string, string>;
const map = <T>(entries: Record<string, T>) => new Map(Object.entries(entries));

describe('the texts of a turn', () => {
  test.each<{ what: string; own: Texts; elsewhere: Record<string, string[]>; texts: Texts; told: object[] }>([
    { what: 'its own', own: { a: 'mine' }, elsewhere: {}, texts: { a: 'mine' }, told: [] },
    {
      what: 'and what only another has',
      own: { a: 'mine' },
      elsewhere: { b: ['theirs'] },
      texts: { a: 'mine', b: 'theirs' },
      told: [],
    },
    {
      what: 'its own over that of another',
      own: { a: 'mine' },
      elsewhere: { a: ['theirs'] },
      texts: { a: 'mine' },
      told: [{ path: 'a', used: 'own' }],
    },
    { what: 'the same in both', own: { a: 'same' }, elsewhere: { a: ['same'] }, texts: { a: 'same' }, told: [] },
    {
      what: 'the same but for line ends',
      own: { a: 'one\n' },
      elsewhere: { a: ['one\r\n'] },
      texts: { a: 'one\n' },
      told: [],
    },
    {
      what: 'of two others, the first',
      own: {},
      elsewhere: { a: ['1', '2'] },
      texts: { a: '1' },
      told: [{ path: 'a', used: 'other' }],
    },
    { what: 'of two others that agree', own: {}, elsewhere: { a: ['1', '1'] }, texts: { a: '1' }, told: [] },
    { what: 'an empty one', own: {}, elsewhere: { a: [''] }, texts: { a: '' }, told: [] },
  ])('$what', ({ own, elsewhere, texts, told }) => {
    const seen = together(map(own), map(elsewhere));
    expect(Object.fromEntries(seen.texts)).toEqual(texts);
    expect(seen.told).toEqual(told);
  });
});

describe('what another editor has not saved is in the way', () => {
  const text = (of: string, mode = 0o644): FileState => ({ kind: 'text', text: of, mode });
  type Case = {
    what: string;
    from?: string;
    before?: FileState;
    after?: FileState;
    theirs: string;
    at?: string;
    waits: boolean;
  };
  test.each<Case>([
    { what: 'of a change', theirs: 'typed', waits: true },
    { what: 'of another file', theirs: 'typed', at: 'b', waits: false },
    { what: 'unless it is what the change makes', theirs: 'new', waits: false },
    { what: 'unless it is what the change was made for', theirs: 'old', waits: false },
    { what: 'of a deletion', after: absent, theirs: 'typed', waits: true },
    { what: 'of a creation', before: absent, theirs: 'typed', waits: true },
    { what: 'of a rename, where it was', from: 'b', theirs: 'typed', at: 'b', waits: true },
    { what: 'of a rename, where it goes', from: 'b', theirs: 'typed', waits: true },
    { what: 'not of a mode', after: text('old', 0o755), theirs: 'typed', waits: false },
    {
      what: 'of a binary file',
      before: absent,
      after: { kind: 'binary', hash: 'h', size: 1, mode: 0o644 },
      theirs: 'x',
      waits: true,
    },
  ])('$what', ({ from, before = text('old'), after = text('new'), theirs, at = 'a', waits }) => {
    const reason = inTheWay({ path: 'a', from, before, after, edits: [], hunks: [] }, map({ [at]: [theirs] }));
    expect(reason).toEqual(waits ? expect.stringContaining('save or close it there first') : undefined);
  });
});
