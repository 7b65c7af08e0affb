/** The load as a value: the workspace, and what the model answers in each of the turns that run at once. */
import { type Answer, patch, say, shell } from '../../server/cli/demo/scripted-answers.ts';

export type LoadSize = {
  turns: number;
  commands: number;
  /** Of the file that is typed in. */
  lines: number;
  keysPerSecond: number;
};

/** The file that is typed in, and that every other turn changes as well. */
export const typedPath = 'src/large.ts';
export const promptOf = (turn: number): string => `load ${turn}`;
/** Of a turn before all others: what a host loads once in its life is no part of the load. */
export const firstPrompt = 'be there';
export const firstAnswers = (): Answer[] => [shell('true'), say('Here.')];

/** Every n-th command: writes files, prints a lot, or changes a file by a patch before it. */
const every = { write: 4, large: 8, patch: 5 };
const largeLines = 40_000;

const partOf = (turn: number): string => `src/part${turn}.ts`;
const partLine = (turn: number, line: number): string => `export const part${turn}_${line} = ${line};`;
export const typedLine = (line: number): string => `  const value${line} = compute(${line}, 'some text of a line');`;

export function loadFiles({ turns, lines }: LoadSize): Record<string, string> {
  const file = (count: number, lineOf: (line: number) => string): string =>
    Array.from({ length: count }, (_, line) => `${lineOf(line)}\n`).join('');
  const parts = Array.from({ length: turns }, (_, turn) => [partOf(turn), file(200, (line) => partLine(turn, line))]);
  return { ...Object.fromEntries(parts), [typedPath]: file(lines, typedLine) };
}

/** One turn, as the answers of the model to one request after the other. */
export function turnAnswers(turn: number, size: LoadSize): Answer[] {
  const steps = Array.from({ length: size.commands }, (_, step) => [
    ...(step % every.patch === 0 ? [patchOf(turn, step, size)] : []),
    shell(commandOf(turn, step)),
  ]);
  return [...steps.flat(), say(`Turn ${turn} is done.`)];
}

function commandOf(turn: number, step: number): string {
  if (step % every.large === every.large - 1) return `seq 1 ${largeLines}`;
  if (step % every.write === every.write - 1) return `mkdir -p out && seq 1 500 >out/t${turn}-${step} && ls -l out`;
  return `grep -c value ${typedPath}; head -n 60 ${partOf(turn)}; echo turn ${turn} step ${step}`;
}

function patchOf(turn: number, step: number, { turns, lines }: LoadSize): Answer {
  const line = step * 5 + 10;
  // Each turn has its own stretch of the large file; its first tenth is left to who types.
  const largeLine = Math.floor(lines / 10 + ((lines * 0.9) / turns) * turn) + step * 3 + 2;
  const changes = [
    ...change(partOf(turn), partLine(turn, line - 1), partLine(turn, line), partLine(turn, -line)),
    // The other half of the turns sees what is typed.
    ...(turn % 2 === 0 ? change(typedPath, typedLine(largeLine - 1), typedLine(largeLine), typedLine(-largeLine)) : []),
  ];
  return patch(['*** Begin Patch', ...changes, '*** End Patch'].join('\n'));
}

const change = (path: string, before: string, old: string, now: string): string[] => [
  `*** Update File: ${path}`,
  '@@',
  ` ${before}`,
  `-${old}`,
  `+${now}`,
];
