/** Which file names look secret, and what a private key looks like; pure. */

/** Looked at in a file that may hold a private key, or only a certificate: a chain of some may come before the key. */
export const keyBytesMax = 64 * 1024;

/** HFS+ ignores these inside names. */
const ignorable = /[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufeff]/g;

const environment = /^\.env(\..*)?$/s;
const environmentTemplate = /^\.env\.(.*\.)?(example|sample|template|tmpl|dist|defaults?|schema)$/s;
const privateKey = /^id_(rsa|dsa|ecdsa|ed25519)([._-].*)?$/s;
const keyStore = /\.(p12|pfx|jks|keystore|ppk|p8)$/;
const mayHoldKey = /\.(pem|key)$/;
const credentials = new Set(['.netrc', '_netrc', '.git-credentials', '.pypirc', '.pgpass']);

/** `byContent`: only where it holds a private key. */
export type Verdict = 'secret' | 'byContent' | 'open';

/** Of the last part of a path, whatever case and Unicode normal form it has. Holds for files and links, not folders. */
export function judgeName(name: string): Verdict {
  const plain = plainName(name);
  if (environment.test(plain)) return environmentTemplate.test(plain) ? 'open' : 'secret';
  if (privateKey.test(plain)) return plain.endsWith('.pub') ? 'open' : 'secret';
  if (keyStore.test(plain) || credentials.has(plain)) return 'secret';
  return mayHoldKey.test(plain) ? 'byContent' : 'open';
}

/** As the most careless file system would compare it. */
export const plainName = (name: string): string =>
  (/^[\x20-\x7e]*$/.test(name) ? name : name.normalize('NFKC').replace(ignorable, '').normalize('NFKC'))
    .toLowerCase()
    .replace(/[\s.]+$/, '');

/** Of the beginning of a file; also where it is UTF-16. */
export const holdsPrivateKey = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.filter((byte) => byte !== 0))
    .toString('latin1')
    .toUpperCase()
    .includes('PRIVATE KEY');
