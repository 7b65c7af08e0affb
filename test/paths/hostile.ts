/** Names and paths as nobody would write them but to deceive: for property tests of whatever takes a path. */
import fc from 'fast-check';

/** Everything that has fooled a check of paths before, beside names as they are in any project. */
const namesOfInterest = [
  ...['a', 'src', 'x.ts', 'b c', '-rf', '.gitignore', '.github', 'git', '...', '..a', 'a..', 'con'],
  ...['..', '.', ''],
  ...[
    '.git',
    '.GIT',
    '.Git',
    '.git.',
    '.git ',
    '.git. .',
    'git~1',
    'GIT~2',
    '.git::$INDEX_ALLOCATION',
    '.git:x\ny',
    '.git\\hooks',
  ],
  ...['.g\u200cit', '\u200e.git', '.gi\ufefft', '.g\u202eit', '.gı\u0307t', '.ｇit', '.gﬁt', 'ﬀ', 'ﬁle'],
  ...['.codex', 'local', '.CODEX', 'LOCAL'],
  ...['caf\u00e9', 'cafe\u0301', '\u1112\u1161\u11ab', '한', 'Å', 'A\u030a', '\u212b', 'ß', 'ſ', 'İ', 'K'],
  ...[
    'new\nline',
    'tab\t',
    'cr\r',
    'nul\0',
    'esc\u001b[31m',
    '\u202etxt.exe',
    '\u2066x\u2069',
    'C:',
    'C:\\x',
    '\\\\server',
    '~',
    '$HOME',
    '%2e%2e',
    '%2f',
    '\\..\\..',
  ],
  ...['"quoted"', "it's", '\\', '\\n', '\\303\\251', 'a -> b', '*** End Patch', '+x', ' padded '],
  ...['x'.repeat(255), 'x'.repeat(256), 'é'.repeat(128), '漢'.repeat(85)],
];

export const hostileName = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...namesOfInterest) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }).map((name) => name.replaceAll('/', '')) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((name) => name.replaceAll('/', '')) },
  );

/** Relative or absolute, with parts that are empty, `.` or `..`, up to some thousands of bytes. */
export const hostilePath = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.array(hostileName(), { maxLength: 6 }).map((names) => names.join('/')) },
    { weight: 2, arbitrary: fc.array(hostileName(), { maxLength: 6 }).map((names) => `/${names.join('/')}`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(hostileName(), fc.integer({ min: 50, max: 6000 }))
        .map(([name, count]) => `${name.slice(0, 8)}/`.repeat(count)),
    },
  );

/** A name that a Linux folder can have. */
export const fileName = (): fc.Arbitrary<string> =>
  hostileName().filter(
    (name) =>
      !['', '.', '..'].includes(name) && !name.includes('\0') && name.isWellFormed() && Buffer.byteLength(name) <= 255,
  );

/** Absolute, normal, of few short names, so that one often lies in another. */
export const folderPath = (): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom('a', 'b', 'ab', '..a', '...', 'é', 'e\u0301', 'A'), { maxLength: 4 })
    .map((names) => `/${names.join('/')}`);
