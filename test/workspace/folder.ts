/** A temporary folder with files in it, gone at the end of the block. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export function makeFolder(files: Record<string, string | Uint8Array> = {}) {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'codex-lsp-folder-')));
  const write = (more: Record<string, string | Uint8Array>) => {
    for (const [name, content] of Object.entries(more)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), content);
    }
  };
  write(files);
  return {
    path,
    write,
    bash: (command: string): string =>
      execFileSync('/bin/bash', ['-ec', command], {
        cwd: path,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
