/** Binary contents as git writes them in a diff: deflated, in git's base 85, both ways, so that it applies and can be taken back. */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** What the files hold that a diff has to say in bytes, by the hash of their state. */
export type Contents = ReadonlyMap<string, Uint8Array>;

export const noContents: Contents = new Map();

/** Larger contents stay in words: a person reads the diff in an editor. */
export const binaryBytesMax = 512 * 1024;
/** Of all contents of one diff together. */
export const binariesBytesMax = 2 * 1024 ** 2;

/** The lines below a file's header; no bytes stand for no file. */
export function binaryPatch(before: Uint8Array, after: Uint8Array): string[] {
  return ['GIT binary patch', ...literal(after), '', ...literal(before), ''];
}

/** git applies bytes only where it is told exactly what they were, and what they become. */
export const indexLine = (before: Uint8Array | undefined, after: Uint8Array | undefined): string =>
  `index ${blobId(before)}..${blobId(after)}`;

const idDigits = 40;

function blobId(bytes: Uint8Array | undefined): string {
  if (!bytes) return '0'.repeat(idDigits);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~';
const lineBytes = 52;
const groupBytes = 4;
const groupChars = 5;

/** The same bytes are asked for whenever the review is shown again. */
const known = new WeakMap<Uint8Array, readonly string[]>();

function literal(bytes: Uint8Array): readonly string[] {
  const made = known.get(bytes) ?? [`literal ${bytes.length}`, ...base85Lines(deflateSync(bytes))];
  known.set(bytes, made);
  return made;
}

/** Each line begins with a letter for the count of its bytes: A to Z for 1 to 26, a to z for 27 to 52. */
function base85Lines(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += lineBytes) {
    const count = Math.min(lineBytes, bytes.length - start);
    let line = String.fromCharCode(count <= 26 ? 64 + count : 70 + count);
    for (let at = start; at < start + count; at += groupBytes) line += base85(bytes, at);
    lines.push(line);
  }
  return lines;
}

/** Four bytes, big-endian; behind the end they are zero. */
function base85(bytes: Uint8Array, at: number): string {
  let value = 0;
  for (let i = 0; i < groupBytes; i++) value = value * 256 + (bytes[at + i] ?? 0);
  let chars = '';
  for (let i = 0; i < groupChars; i++) {
    chars = (alphabet[value % 85] ?? '') + chars;
    value = Math.floor(value / 85);
  }
  return chars;
}
