/** Where the kernel counts neither processes nor memory for root, we do. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { threadsIn } from '../../server/sandbox/processes.ts';
import { nothing } from '../../server/sandbox/upper-use.ts';
import { watch } from '../../server/sandbox/watchdog.ts';
import { policy } from './scenario.ts';

const threads = `
const { Worker } = require('node:worker_threads');
for (let count = 0; count < 60; count++) new Worker('setInterval(() => {}, 1000)', { eval: true });
`;

/** What ends a program in a process namespace of its own; nothing where it ends by itself. */
async function limitOf(program: string, limits: Partial<typeof policy>): Promise<string | undefined> {
  const child = spawn('unshare', ['-Urpf', '--kill-child', process.execPath, '-e', program], { stdio: 'ignore' });
  const inner = () => {
    try {
      return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').split(' ')[0]) || undefined;
    } catch {
      return undefined;
    }
  };
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  child.once('exit', () => resolve(undefined));
  const watching = watch({
    uppers: [tmpdir()],
    atFirst: nothing,
    policy: { ...policy, ...limits },
    countsProcesses: true,
    child: inner,
    exceeded: resolve,
  });
  try {
    return await promise;
  } finally {
    watching.end();
    child.kill('SIGKILL');
  }
}

test('threads of one process are counted', async () => {
  expect(await limitOf(`${threads} setTimeout(() => process.exit(), 20_000)`, { processesMax: 50 })).toBe('processes');
  expect(await limitOf(`${threads} setTimeout(() => process.exit(), 2_000)`, { processesMax: 500 })).toBeUndefined();
}, 60_000);

test('memory is counted', async () => {
  const fill = 'const kept = Buffer.alloc(300 * 1024 ** 2, 1);';
  const limit = { memoryBytesMax: 150 * 1024 ** 2 };
  expect(await limitOf(`${fill} setTimeout(() => process.exit(kept[0]), 20_000)`, limit)).toBe('memory');
  expect(await limitOf(`${fill} setTimeout(() => process.exit(kept[0]), 6_000)`, {})).toBeUndefined();
}, 60_000);

test('a process whose sandbox does not stand yet has none of the machine’s processes to its name', async () => {
  expect(await threadsIn(process.pid, 1)).toBe(0);
});
