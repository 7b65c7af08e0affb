/** `node server/protocol/generate.ts` writes protocol.md; with `--check` it only says whether the file is old. */
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { referenceText } from './reference.ts';

const file = new URL('../../protocol.md', import.meta.url);
const text = referenceText();

if (process.argv.includes('--check')) {
  const written = await readFile(file, 'utf8').catch(() => '');
  if (written !== text) {
    process.stderr.write('protocol.md is older than server/protocol: run `npm run protocol`.\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(file, text);
}
