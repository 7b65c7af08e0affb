/** A bubblewrap that makes overlays, for tests of what it is needed for: the system's, or the one that a script fetched. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { toolFolders } from '../../server/sandbox/host.ts';

let stage: string | undefined;
let broken: string | undefined;
afterAll(() => {
  for (const folder of [stage, broken]) if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** The same tools on a machine where `unshare` may make no namespaces. */
export function withoutUnshare(folders: readonly string[]): string[] {
  if (broken === undefined) {
    broken = mkdtempSync(join(tmpdir(), 'codex-lsp-unshare-'));
    chmodSync(broken, 0o755);
    writeFileSync(join(broken, 'unshare'), '#!/bin/sh\necho "unshare: Operation not permitted" >&2\nexit 1\n', {
      mode: 0o755,
    });
  }
  return [broken, ...folders];
}

/** Folders of tools with such a bubblewrap first, where everybody can run it. Throws where there is none. */
export function newBwrapFolders(): string[] {
  if (stage !== undefined) return [stage, ...toolFolders];
  if (systemMakesOverlays()) return [...toolFolders];
  const folder = process.env.CODEX_LSP_TEST_BWRAP ?? join(homedir(), '.cache/codex-lsp-bwrap');
  if (!existsSync(join(folder, 'bwrap')) || !makesOverlays(join(folder, 'bwrap'))) {
    throw new Error(`There is no bubblewrap 0.11 or newer in ${folder}: run \`test/sandbox/setup-bwrap.sh\` first.`);
  }
  stage = mkdtempSync(join(tmpdir(), 'codex-lsp-bwrap-'));
  chmodSync(stage, 0o755);
  for (const name of ['bwrap', 'root'])
    cpSync(join(folder, name), join(stage, name), { recursive: true, verbatimSymlinks: true });
  return [stage, ...toolFolders];
}

/** Whether that of this machine is new enough. */
export function systemMakesOverlays(): boolean {
  const system = '/usr/bin/bwrap';
  return existsSync(system) && makesOverlays(system);
}

function makesOverlays(program: string): boolean {
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).replace(/^\S+ /, '');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 0 || minor >= 11;
}
