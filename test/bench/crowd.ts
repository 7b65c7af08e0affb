/**
 * The benchmark of the many: `node test/node/run.js test/bench/crowd.ts [THREADS [CONNECTIONS]]`. What a state folder of
 * many threads costs an editor that is attached, and what each further connection costs the host. Exits 1 over a limit.
 */
import { mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EventEnvelope, ThreadEvent } from '../../server/protocol/thread.ts';
import { writeSummary } from '../../server/task/summary-file.ts';
import { fold, newThread } from '../../server/thread/state.ts';
import { script } from '../support/model.ts';
import { runProgram } from '../support/program.ts';
import { connect, programBench } from '../support/wire.ts';

export const most = { initializeMs: 100, statusMs: 50, memoryMiB: 150, connectionKiB: 1024 };

export type Crowd = { initializeMs: number; statusMs: number; memoryMiB: number; connectionKiB: number };

type Bench = Awaited<ReturnType<typeof programBench>>;

export async function measureCrowd(size: { threads: number; connections: number }): Promise<Crowd> {
  await using it = await programBench(script());
  for (let number = 0; number < size.threads; number++) await writeThread(it, number);
  const { stdout } = await runProgram(['host', '--start'], { env: { ...it.env, CODEX_LSP_HOST_IDLE_SECONDS: '1' } });
  const { socket, token } = JSON.parse(stdout);
  const pid = JSON.parse(await readlink(socket.replace(/sock$/, 'lock'))).pid;
  const host = { token: (await readFile(token, 'utf8')).trim() };
  const open = async () => {
    const direct = createConnection(socket);
    const client = connect(direct, direct);
    await client.request('initialize', { ...it.initialize, initializationOptions: { host } });
    await client.connection.sendNotification('initialized', {});
    return client;
  };

  const startedAt = performance.now();
  const first = await open();
  const initializeMs = performance.now() - startedAt;
  // What is recalled of the threads is over when a question behind it is answered twice.
  for (let round = 0; round < 2; round++) await first.request('codex/status');
  let statusMs = Number.POSITIVE_INFINITY;
  let threads: unknown;
  for (let round = 0; round < 5; round++) {
    const askedAt = performance.now();
    ({ threads } = await first.request('codex/status'));
    statusMs = Math.min(statusMs, performance.now() - askedAt);
  }
  const listed = Array.isArray(threads) ? threads.length : 0;
  if (listed > 0 !== size.threads > 0) throw new Error(`${listed} threads were listed`);
  const memoryMiB = await memoryMiBOf(pid);

  const others = [];
  for (let number = 0; number < size.connections; number++) others.push(await open());
  for (const other of others) await other.request('codex/status');
  const connectionKiB = ((await memoryMiBOf(pid)) - memoryMiB) * (1024 / size.connections);
  for (const client of [first, ...others]) client.connection.end();
  return { initializeMs, statusMs, memoryMiB, connectionKiB };
}

/** As a finished turn has left it: every hundredth with something in review. */
async function writeThread({ workspace }: Bench, number: number): Promise<void> {
  const threadId = `t${number.toString(36).padStart(6, '0')}`;
  const folder = join(workspace.stateDir, 'threads', threadId);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const command = (id: number) => ({ id: `i${id}`, type: 'command' as const, command: 'npm test', cwd: '' });
  const events: ThreadEvent[] = [
    { type: 'threadStarted', title: `task ${number}`, root: pathToFileURL(workspace.root).href },
    { type: 'turnStarted', prompt: `task ${number}`, model: 'gpt-test', mode: 'task' },
    ...Array.from({ length: 20 }, (_, id) => ({
      type: 'itemCompleted' as const,
      item: { ...command(id), status: 'completed' as const, exitCode: 0, output: 'a line of output\n'.repeat(50) },
    })),
    ...(number % 100 === 0 ? [{ type: 'changesetUpdated' as const, files: 1, additions: 1, deletions: 1 }] : []),
    { type: 'turnCompleted', status: 'completed', summary: 'Done.' },
  ];
  const at = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString();
  const lines = events.map((event, index): EventEnvelope => ({ threadId, turnId: 'u1', seq: index + 1, at, event }));
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(join(folder, 'journal.jsonl'), text, { mode: 0o600 });
  await writeSummary(folder, Buffer.byteLength(text), lines.reduce(fold, newThread(threadId)));
}

async function memoryMiBOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

export function reportOf(found: Crowd): string {
  const row = (what: string, value: number, limit: number): string =>
    `${what.padEnd(40)}${value.toFixed(1).padStart(10)}${String(limit).padStart(8)}${value < limit ? '' : '  over'}`;
  return [
    row('initialize, ms', found.initializeMs, most.initializeMs),
    row('codex/status, ms', found.statusMs, most.statusMs),
    row('memory with one editor, MiB', found.memoryMiB, most.memoryMiB),
    row('memory of each further connection, KiB', found.connectionKiB, most.connectionKiB),
  ].join('\n');
}

async function main(): Promise<void> {
  const [threads = 1_000, connections = 50] = process.argv.slice(2).map(Number);
  const report = reportOf(await measureCrowd({ threads, connections }));
  process.stdout.write(`${threads} threads in the state folder, ${connections} further connections\n${report}\n`);
  process.exitCode = report.includes('  over') ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) await main();
