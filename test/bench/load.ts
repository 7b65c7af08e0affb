/**
 * The load test: `node test/node/run.js test/bench/load.ts [ROUNDS]`. Exits 1 where a number is over what it may be, or
 * something was lost. Judged is what is ours of the time between question and answer: without what the processes on the
 * way were ready to run and had no processor, which with twenty sandboxes on two of them is the machine's. Where we may
 * say so, as root, no other process takes one from them; then the clock, told beside it, says nearly the same. Of several
 * rounds the best counts.
 */
import { type Load, measureLoad } from './measure-load.ts';
import { spreadOf } from './spread.ts';
import type { Timed } from './typist.ts';

export const most = { codeActionMs: 20, keystrokeMs: 5, hostMiB: 250 };

export type Row = { what: string; found: number; most: number; clockMs?: number };

const size = { turns: 20, commands: 20, lines: 10_000, keysPerSecond: 30 };

export function rowsOf({ codeActions, keystrokes, afterKeystrokes, host }: Load): Row[] {
  const p99 = (times: readonly Timed[], how: keyof Timed): number => spreadOf(times.map((one) => one[how])).p99Ms;
  const row = (what: string, times: readonly Timed[], mostMs: number): Row => ({
    what,
    found: p99(times, 'ownMs'),
    most: mostMs,
    clockMs: p99(times, 'clockMs'),
  });
  return [
    row('code actions, p99, ms', codeActions, most.codeActionMs),
    row('keystroke, p99, ms', keystrokes, most.keystrokeMs),
    row('a question after it, p99, ms', afterKeystrokes, most.codeActionMs),
    { what: 'memory of the host at most, MiB', found: host.peakMiB, most: most.hostMiB },
  ];
}

export const isOver = ({ found, most }: Row): boolean => !(found < most);

export function reportOf(load: Load): string {
  const { seconds, commands, events, problems, isUndisturbed, host, keystrokes, codeActions, hovers } = load;
  const cells = (what: string, ...numbers: string[]): string =>
    what.padEnd(34) + numbers.map((one) => one.padStart(9)).join('');
  const medians = [codeActions, keystrokes, hovers].map((times) => {
    const of = (how: keyof Timed): string => spreadOf(times.map((one) => one[how])).medianMs.toFixed(1);
    return `${of('ownMs')} (${of('clockMs')})`;
  });
  return [
    cells('', 'found', 'most', 'by clock'),
    ...rowsOf(load).map((row) => {
      const clock = row.clockMs === undefined ? '' : row.clockMs.toFixed(1);
      return cells(row.what, row.found.toFixed(1), String(row.most), clock) + (isOver(row) ? '  over' : '');
    }),
    `medians, and by the clock: code actions ${medians[0]}, keystroke ${medians[1]}, hover ${medians[2]} ms`,
    `${keystrokes.length} keystrokes, ${codeActions.length} code actions, ${commands} commands in ${seconds.toFixed(1)} s; the host took ${(host.cpuMs / 1000).toFixed(1)} s of a processor`,
    `its event loop was held up for ${host.loop.p99Ms.toFixed(1)} ms (p99), ${host.loop.mostMs.toFixed(1)} ms at most, by the clock`,
    isUndisturbed
      ? 'host, relay and editor were undisturbed'
      : 'host, relay and editor shared the processors with all others',
    `${events} events, none lost${problems.length === 0 ? '' : ` but: ${problems.join('; ')}`}`,
  ].join('\n');
}

/** The one that is over by the least. */
const worstOf = (load: Load): number => Math.max(...rowsOf(load).map(({ found, most }) => found / most));

async function main(): Promise<void> {
  const [rounds = 3] = process.argv.slice(2).map(Number);
  let best = await measureLoad(size);
  for (let round = 1; round < rounds && best.problems.length === 0; round++) {
    const next = await measureLoad(size);
    if (next.problems.length > 0 || worstOf(next) < worstOf(best)) best = next;
  }
  const { turns, commands, keysPerSecond, lines } = size;
  const what = `${turns} turns of ${commands} commands at once; ${keysPerSecond} keys a second in ${lines} lines`;
  process.stdout.write(`${what}\n${reportOf(best)}\n`);
  process.exitCode = best.problems.length > 0 || rowsOf(best).some(isOver) ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) await main();
