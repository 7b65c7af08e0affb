/** What a sandboxed `true` costs against a plain one, over a repository of many files: run in turn, in one process. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Copy } from '../../server/workspace/copy.ts';
import { bash, runOver } from '../sandbox/scenario.ts';

export type Figures = { medianMs: number; p90Ms: number };
export type Measured = { plain: Figures; sandboxed: Figures; ratio: number };

const filesInFolder = 100;
/** Not counted: the machine is looked at once a process, and caches fill. */
const warmUps = 5;

/** A repository that git knows, of small files; in a folder that is gone afterwards. */
export function makeRepository(filesMax: number) {
  const folder = mkdtempSync(join(tmpdir(), 'codex-lsp-bench-'));
  const root = join(folder, 'workspace');
  for (let at = 0; at < filesMax; at += filesInFolder) {
    const inside = join(root, `d${Math.floor(at / filesInFolder / 50)}`, `e${at / filesInFolder}`);
    mkdirSync(inside, { recursive: true });
    for (let one = at; one < Math.min(at + filesInFolder, filesMax); one++) {
      writeFileSync(join(inside, `f${one}.ts`), `export const f${one} = ${one};\n`);
    }
  }
  bash(root, 'git init -q . && git add -A && git -c gc.auto=0 -c user.name=a -c user.email=a@b commit -qm all');
  return { root, dir: join(folder, 'state'), [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Over a repository made for it. */
export async function measureOver(filesMax: number, rounds: number): Promise<Measured> {
  using repository = makeRepository(filesMax);
  return await measure({ ...repository, rounds });
}

/** `root`: a workspace. Each round is one plain run and one in the sandbox, by the way that a turn takes. */
export async function measure({ root, dir, rounds }: { root: string; dir: string; rounds: number }): Promise<Measured> {
  const copy = await Copy.open({ dir, root });
  const plain: number[] = [];
  const sandboxed: number[] = [];
  try {
    for (let round = -warmUps; round < rounds; round++) {
      const plainMs = await timed(() => runPlainly(root));
      const sandboxedMs = await timed(() => runSandboxed(copy));
      if (round < 0) continue;
      plain.push(plainMs);
      sandboxed.push(sandboxedMs);
    }
  } finally {
    await copy.remove();
  }
  const [a, b] = [figuresOf(plain), figuresOf(sandboxed)];
  return { plain: a, sandboxed: b, ratio: b.medianMs / a.medianMs };
}

function figuresOf(times: readonly number[]): Figures {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { medianMs: at(0.5), p90Ms: at(0.9) };
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

const runPlainly = (cwd: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn('true', { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    child
      .once('error', reject)
      .once('close', (code) => (code === 0 ? resolve() : reject(new Error(`true gave ${code}`))));
  });

async function runSandboxed(copy: Copy): Promise<void> {
  const result = await runOver(copy, { command: 'true' });
  if (result.kind !== 'ran') throw new Error(`the sandbox did not run: ${result.reason} ${result.remedy}`);
  if (result.status !== 'completed') throw new Error(`true did not succeed in the sandbox: ${result.output}`);
}
