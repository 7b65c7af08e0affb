/** git's configuration without credentials: a table, git's own reading of the result, and properties. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskGitConfig } from '../../server/workspace/mask-git-config.ts';
import { maskUrls } from '../../server/workspace/mask-text.ts';
import { makeFolder } from './folder.ts';

const masked: [string, string][] = [
  ['[remote "o"]\n\turl = https://bob:s3cret@h.org/x.git\n', '[remote "o"]\n\turl = https://***@h.org/x.git\n'],
  ['[remote "o"]\n\turl = https://s3cret@h.org/x\n', '[remote "o"]\n\turl = https://***@h.org/x\n'],
  ['[remote "o"] url = https://s3cret@h.org/x\r\n[a]\r\n', '[remote "o"] url = https://***@h.org/x\r\n[a]\r\n'],
  ['[remote "o"]\nurl=https://bob:s3/cr@et@h.org/x', '[remote "o"]\nurl=https://***@h.org/x'],
  ['[remote "o"]\nurl="https://bob:s3\\"cret@h.\\\norg/x" # c\n', '[remote "o"]\nurl=https://***@h.org/x\n\n'],
  ['[remote "o"]\nurl = ssh://git:s3cret@h.org/x\n', '[remote "o"]\nurl = ssh://***@h.org/x\n'],
  [
    '[r "o"]\nurl = https://h.org/x?private_token=s3cret&z=1\n',
    '[r "o"]\nurl = https://h.org/x?private_token=***&z=1\n',
  ],
  ['[url "https://t:s3cret@h.org/"]\n\tinsteadOf = gh:\n', '[url "https://***@h.org/"]\n\tinsteadOf = gh:\n'],
  ['[http]\nextraHeader = AUTHORIZATION: basic s3cret\n', '[http]\nextraHeader = "AUTHORIZATION: ***"\n'],
  ['[http "https://h/"]\nextraheader = "X-Key: s3cret"\n', '[http "https://h/"]\nextraheader = "X-Key: ***"\n'],
  ['[http]\nproxy = bob:s3cret@proxy:80\n', '[http]\nproxy = ***@proxy:80\n'],
  ['[credential]\nhelper = "!f() { echo password=s3cret; }; f"\n', '[credential]\nhelper = "!: masked"\n'],
  ['[sendemail]\nsmtpPass = s3cret\nsmtpUser = me\n', '[sendemail]\nsmtpPass = ***\nsmtpUser = me\n'],
  ['[github]\noauthtoken = s3cret\n', '[github]\noauthtoken = ***\n'],
  ['[core]\nsshCommand = sshpass -p s3cret ssh\n', '[core]\nsshCommand = "sshpass -p *** ssh"\n'],
  ['# url = https://bob:s3cret@h.org/x\n', '# url = https://***@h.org/x\n'],
  ['[core]\nbare = false ; https://bob:s3cret@h.org\n', '[core]\nbare = false\n'],
];

const kept = [
  '',
  '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n',
  '[remote "origin"]\n\turl = git@github.com:a/b.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n',
  '[remote "origin"]\n\turl = https://h.org:8443/a@v1/b.git\n\tpushurl = ssh://git@h.org/a\n',
  '[credential]\n\thelper = store --file=x\n\thelper = cache\n',
  '[alias]\n\tlg = log --format="%h: %s" # pretty\n[filter "lfs"]\n\tclean = git-lfs clean -- %f\n',
  '[core]\n\taskPass = /usr/bin/pass\n[http]\n\tsslCertPasswordProtected = true\n\tcookieFile = /c\n',
  '[user]\n\tname = A B\n\temail = a@b.org\n\tsigningKey = 0xAB\n',
  '\ufeff[core]\r\n\tbare = false\r\nnonsense here\r\n[[[',
];

test.each(masked)('%j', (text, expected) => {
  expect(maskGitConfig(text)).toBe(expected);
  expect(maskGitConfig(expected)).toBeUndefined();
});
test.each(kept)('%j has nothing to be masked', (text) => expect(maskGitConfig(text)).toBeUndefined());

test('git reads the masked files, and finds no secret in them', () => {
  using folder = makeFolder(Object.fromEntries(masked.map(([text], at) => [`${at}`, maskGitConfig(text) ?? ''])));
  for (const at of masked.keys()) {
    const list = execFileSync('git', ['config', '--file', join(folder.path, `${at}`), '--list'], { encoding: 'utf8' });
    expect(list).not.toMatch(/s3|cret/);
  }
});

const secretWord = fc.stringMatching(/^[A-Za-z0-9]{12,20}$/).map((word) => `Zq${word}`);
const plainLine = fc.constantFrom(
  ...['\tbare = false', '; a comment', '# url = x', '', '\tname = "a \\"b\\""', '\tx = a \\\n b', '[branch "main"]'],
  ...['[remote "a\\\\b"]', '\tfetch = +refs/heads/*:refs/remotes/o/*', 'broken ] line', '\tkey', '\turl = /srv/git/x'],
);
const secretLine = secretWord.chain((word) =>
  fc
    .constantFrom(
      ...[`\turl = https://u:${word}@h.org/x`, `\turl = "https://${word}@h.org:80/"`, `[url "https://u:${word}@h/"]`],
      ...[`\textraheader = Authorization: Bearer ${word}`, `\tproxy = http://u:${word}@p:1`, `\ttoken = ${word}`],
      ...[`[http] extraheader = "X: ${word}"`, `# https://u:${word}@h.org/`, `\tsmtpPass = "a;${word}"`],
    )
    .map((line) => ({ line, word })),
);
const file = fc.tuple(
  fc.array(fc.oneof(plainLine, secretLine), { maxLength: 12 }),
  fc.constantFrom('\n', '\r\n'),
  fc.boolean(),
);

test('whatever stands around them: no secret is left, every line has its place, and the second time changes nothing', () => {
  fc.assert(
    fc.property(file, ([lines, end, hasEnd]) => {
      const text = lines.map((line) => (typeof line === 'string' ? line : line.line)).join(end) + (hasEnd ? end : '');
      const result = maskGitConfig(text) ?? text;
      for (const line of lines) if (typeof line !== 'string') expect(result).not.toContain(line.word);
      expect(result.split('\n').length).toBe(text.split('\n').length);
      expect(maskGitConfig(result)).toBeUndefined();
      if (lines.every((line) => typeof line === 'string')) expect(result).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

test('any text at all: never an error, the same number of lines, and the second time changes nothing', () => {
  const pieces = fc.constantFrom(
    ...['[', ']', '"', '\\', '=', '\n', '\r\n', '#', ';', ' ', '\t', 'a', 'url', 'token', 'https://', '@', ':', '/'],
    ...['extraheader', 'helper', '!', '[credential]', '***', 'é', '\0', '?key=', 'Bearer '],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const text = parts.join('');
      const result = maskGitConfig(text) ?? text;
      expect(result.split('\n').length).toBe(text.split('\n').length);
      expect(maskGitConfig(result)).toBeUndefined();
    }),
    { numRuns: 5_000 },
  );
});

test('a hostile file costs no more time than its length', () => {
  const started = performance.now();
  for (const unit of ['a', 'a-', 'token', 'token: ', '(', '((:', 'a.a', 'https://', 'x:y', '"', '\\\n', '[a "', '= '])
    maskGitConfig(`[a]\nx = ${unit.repeat(200_000 / unit.length)}`);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('of a log only URLs and tokens are masked', () => {
  const line = '0 1 A <a@b.org> 17 +0000\tpull -q https://tok:pw@h.org/x: Fast-forward\n';
  expect(maskUrls(line)).toBe('0 1 A <a@b.org> 17 +0000\tpull -q https://***@h.org/x: Fast-forward\n');
});
