/** Which names look secret: a table, and what holds for all of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holdsPrivateKey, judgeName } from '../../server/workspace/secret-names.ts';

const secret = [
  ...[
    '.env',
    '.env.local',
    '.env.production',
    '.env.example.local',
    '.env.',
    '.env.bak',
    '.env.\nx',
    'id_rsa.\r\n.old',
  ],
  ...['id_rsa', 'id_dsa', 'id_ecdsa', 'id_ed25519', 'id_ed25519_sk', 'id_rsa.bak', 'id_rsa-work', 'id_rsa.pub.old'],
  ...['a.p12', 'b.pfx', 'c.jks', 'd.keystore', 'e.ppk', 'AuthKey_1.p8'],
  ...['.netrc', '_netrc', '.git-credentials', '.pypirc', '.pgpass'],
];
const open = [
  ...['env', 'x.env', '.environment', '.envrc', 'a.env.local', '.env-cmdrc'],
  ...['.env.example', '.env.sample', '.env.template', '.env.dist', '.env.defaults', '.env.local.example'],
  ...['id_rsa.pub', 'id_ed25519.pub', 'id_rsax', 'my_id_rsa', 'netrc', 'keystore', 'p12', 'a.p12.md'],
];

test.each(secret)('%j is secret', (name) => expect(judgeName(name)).toBe('secret'));
test.each(open)('%j is open', (name) => expect(judgeName(name)).toBe('open'));
test.each(['server.pem', 'tls.key', 'CA.PEM'])('%j is judged by what it holds', (name) =>
  expect(judgeName(name)).toBe('byContent'),
);

test('neither case nor Unicode normal form nor invisible characters make a name another', () => {
  const written = fc
    .constantFrom(...secret)
    .chain((name) =>
      fc
        .tuple(...[...name].map((character) => fc.constantFrom(...spellings(character))))
        .map((characters) => characters.join('')),
    );
  fc.assert(
    fc.property(written, (name) => {
      expect(judgeName(name)).toBe('secret');
    }),
    { numRuns: 1_000 },
  );
});

/** As some file system, or a reader, takes them for the same. */
const spellings = (character: string): string[] => [
  character,
  character.toUpperCase(),
  character.toUpperCase().normalize('NFD'),
  `${character}\u200d`,
  // The full-width form.
  /[!-~]/.test(character) ? String.fromCodePoint((character.codePointAt(0) ?? 0) + 0xfee0) : character,
];

test('any name has a verdict, at once, and the same one every time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      expect(judgeName(name)).toBe(judgeName(name));
    }),
  );
  const started = performance.now();
  for (const name of ['.env.'.repeat(50_000), `id_rsa${'.'.repeat(100_000)}`, ' '.repeat(100_000)]) judgeName(name);
  expect(performance.now() - started).toBeLessThan(500);
});

test('a private key is known in every form that PEM has, and a certificate is none', () => {
  const pem = (what: string) => `-----BEGIN ${what}-----\nMIIE\n-----END ${what}-----\n`;
  for (const what of [
    'PRIVATE KEY',
    'RSA PRIVATE KEY',
    'EC PRIVATE KEY',
    'ENCRYPTED PRIVATE KEY',
    'OPENSSH PRIVATE KEY',
  ])
    for (const encoding of ['utf8', 'utf16le'] as const)
      expect(holdsPrivateKey(Buffer.from(pem(what), encoding)), `${what} ${encoding}`).toBe(true);
  for (const what of ['CERTIFICATE', 'PUBLIC KEY', 'RSA PUBLIC KEY'])
    expect(holdsPrivateKey(Buffer.from(pem(what))), what).toBe(false);
});
