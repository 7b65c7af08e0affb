/**
 * A contender for a lock: `LOCK LOG`. It writes down every step while it has it, and leaves it now as one that lives
 * does, now as one that died. To be killed.
 */
import { appendFileSync, renameSync, symlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { takeLock } from '../../server/task/lock.ts';

const [path = '', log = ''] = process.argv.slice(2);
const note = (step: string): void => appendFileSync(log, `${process.pid} ${step}\n`);

const dead = JSON.stringify({ pid: process.pid, startedAt: '1', purpose: 'turn' });

process.stdout.write('begins\n');
for (let round = 0; ; round++) {
  const lock = await takeLock(path, 'work', { waitMs: 60_000 });
  if ('heldBy' in lock) throw new Error(`held by ${lock.heldBy}`);
  note('enters');
  for (let turn = 0; turn < 5; turn++) {
    await nextTurn();
    note('stays');
  }
  if (round % 2 === 0) {
    lock.release();
  } else {
    symlinkSync(dead, `${log}.${process.pid}`);
    renameSync(`${log}.${process.pid}`, path);
  }
}
