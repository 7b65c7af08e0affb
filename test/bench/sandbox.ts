/**
 * The cost benchmark: `node test/node/run.js test/bench/sandbox.ts [ROUNDS [FILES]]`. Exits 1 where a sandboxed `true`
 * costs more plain ones than it may. As root it measures an ordinary user too, by a process of that user.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { type Measured, measureOver } from './measure.ts';

const ordinaryId = 54_321;
/** Plain runs that one in the sandbox may cost. */
export const ratioMax = { user: 8, root: 10 };

type Who = keyof typeof ratioMax;

export function rowsOf(results: readonly (readonly [Who, Measured])[]): string {
  const row = (...cells: string[]) => cells.map((cell, at) => (at === 0 ? cell.padEnd(6) : cell.padStart(16))).join('');
  const of = ({ medianMs, p90Ms }: Measured['plain']) => `${medianMs.toFixed(1)} / ${p90Ms.toFixed(1)}`;
  return [
    row('', 'plain ms', 'sandboxed ms', 'ratio', 'most'),
    ...results.map(([who, { plain, sandboxed, ratio }]) =>
      row(who, of(plain), of(sandboxed), ratio.toFixed(1), String(ratioMax[who])),
    ),
    '(median / p90)',
  ].join('\n');
}

async function main(): Promise<void> {
  const [rounds = 50, files = 50_000] = process.argv.slice(2).map(Number);
  const isRoot = process.getuid?.() === 0;
  const results: [Who, Measured][] = [[isRoot ? 'root' : 'user', await measureOver(files, rounds)]];
  if (isRoot) results.push(['user', measureAsUser(files, rounds)]);
  process.stdout.write(`A sandboxed \`true\` over ${files} files, ${rounds} rounds\n${rowsOf(results)}\n`);
  process.exitCode = results.some(([who, { ratio }]) => ratio > ratioMax[who]) ? 1 : 0;
}

/** The checkout, and this Node, may lie where only root can enter: both are put where the user can run them. */
export function measureAsUser(files: number, rounds: number): Measured {
  const home = mkdtempSync(join(tmpdir(), 'codex-lsp-bench-home-'));
  try {
    const [node, program] = [join(home, 'node'), join(home, 'bench.mjs')];
    copyFileSync(process.execPath, node);
    chmodSync(node, 0o755);
    buildSync({
      entryPoints: [join(import.meta.dirname, 'measure.ts')],
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    chownSync(home, ordinaryId, ordinaryId);
    const script = `import { measureOver } from ${JSON.stringify(program)}; process.stdout.write(JSON.stringify(await measureOver(${files}, ${rounds})))`;
    const child = spawnSync(node, ['--no-warnings', '--input-type=module', '-e', script], {
      uid: ordinaryId,
      gid: ordinaryId,
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.status !== 0) throw new Error(`the ordinary user's run ended with ${child.status ?? child.signal}`);
    return JSON.parse(child.stdout);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) await main();
