/**
 * The benchmark of a start: `node test/node/run.js test/bench/start.ts [ROUNDS]`, on Linux. From the start of the process to
 * its answer to `initialize`, and its memory then, beside a Node that does nothing else. Exits 1 where a ratio is over what it may be.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from '../support/program.ts';

export type Start = { ms: number; rssBytes: number };
export const ways = ['bare', 'relay', 'alone'] as const;
export type Way = (typeof ways)[number];
export type Medians = Record<Way, Start>;
export type Row = { what: string; value: string; ratio: number; ratioMax: number };

/** To the bare Node. */
export const ratioMax = { relayMs: 2, relayRss: 1.3, aloneMs: 5 };

/** Answers one message, with the least that Node needs for it. */
const bareServer = `process.stdin.once('data', () => {
  const body = '{"jsonrpc":"2.0","id":1,"result":{"capabilities":{}}}';
  process.stdout.write('Content-Length: ' + body.length + '\\r\\n\\r\\n' + body);
});`;
const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { processId: null, rootUri: null, capabilities: {} },
});

export function rowsOf({ bare, relay, alone }: Medians): Row[] {
  const ms = (start: Start): string => `${start.ms.toFixed(0)} ms`;
  const rss = (start: Start): string => `${(start.rssBytes / 1024 ** 2).toFixed(0)} MiB`;
  return [
    { what: 'relay, to initialize', value: ms(relay), ratio: relay.ms / bare.ms, ratioMax: ratioMax.relayMs },
    { what: 'relay, memory', value: rss(relay), ratio: relay.rssBytes / bare.rssBytes, ratioMax: ratioMax.relayRss },
    { what: 'without a host', value: ms(alone), ratio: alone.ms / bare.ms, ratioMax: ratioMax.aloneMs },
  ];
}

export const isOver = ({ ratio, ratioMax: most }: Row): boolean => !(ratio <= most);

export function reportOf(rows: readonly Row[], { bare }: Medians): string {
  const cells = (what: string, ...rest: string[]): string =>
    what.padEnd(24) + rest.map((cell) => cell.padStart(10)).join('');
  return [
    cells('', '', 'ratio', 'most'),
    ...rows.map(
      (row) => cells(row.what, row.value, row.ratio.toFixed(2), String(row.ratioMax)) + (isOver(row) ? '  over' : ''),
    ),
    `(ratio: to a Node that only answers: ${bare.ms.toFixed(0)} ms, ${(bare.rssBytes / 1024 ** 2).toFixed(0)} MiB; medians)`,
  ].join('\n');
}

/** In turn, so that what else runs on the machine meets all of them. The host is warm: somebody is connected all the time. */
export async function measureStarts(rounds: number): Promise<Medians> {
  const folder = await mkdtemp(join(tmpdir(), 'codex-lsp-bench-'));
  try {
    const stateDir = join(folder, 'state');
    await mkdir(stateDir, { mode: 0o700 });
    await writeFile(join(folder, 'bare.js'), bareServer);
    const env = { CODEX_LSP_STATE_DIR: stateDir, XDG_CONFIG_HOME: join(folder, 'config') };
    const start = (way: Way) => {
      if (way === 'bare') return startProgram([], { env, bin: join(folder, 'bare.js') });
      return startProgram(way === 'alone' ? ['--stdio', '--no-host'] : ['--stdio'], { env });
    };
    const first = await answered(start('relay'));
    const found: Record<Way, Start[]> = { bare: [], relay: [], alone: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const way of ways) found[way].push(await measure(() => start(way)));
    }
    await ended(first);
    return { bare: median(found.bare), relay: median(found.relay), alone: median(found.alone) };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Program = ReturnType<typeof startProgram>;

async function measure(start: () => Program): Promise<Start> {
  const startedAt = performance.now();
  const program = await answered(start());
  const ms = performance.now() - startedAt;
  const status = await readFile(`/proc/${program.child.pid}/status`, 'utf8');
  await ended(program);
  return { ms, rssBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024 };
}

async function answered(program: Program): Promise<Program> {
  program.child.stdin.write(`Content-Length: ${Buffer.byteLength(initialize)}\r\n\r\n${initialize}`);
  await program.says('"capabilities"');
  return program;
}

async function ended(program: Program): Promise<void> {
  program.child.stdin.end();
  await program.ended;
}

function median(starts: readonly Start[]): Start {
  const middle = (of: (start: Start) => number): number =>
    starts.map(of).toSorted((a, b) => a - b)[Math.floor(starts.length / 2)] ?? Number.NaN;
  return { ms: middle(({ ms }) => ms), rssBytes: middle(({ rssBytes }) => rssBytes) };
}

async function main(): Promise<void> {
  const [rounds = 15] = process.argv.slice(2).map(Number);
  const medians = await measureStarts(rounds);
  const rows = rowsOf(medians);
  process.stdout.write(`${reportOf(rows, medians)}\n`);
  process.exitCode = rows.some(isOver) ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) await main();
