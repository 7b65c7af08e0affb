/** What the model is told of a command: how it ended, how long it took, and its output within the limit. Pure. */
import type { CommandResult } from '../../sandbox/types.ts';
import { abortedOutput } from '../repair.ts';
import { bytesPerToken, truncateMiddle } from '../truncate.ts';
import type { ToolLimits } from './tool.ts';

type Ran = Extract<CommandResult, { kind: 'ran' }>;

/** `advice`: what follows the output. */
export function commandReport(
  result: CommandResult,
  { limits, timeoutMs, advice }: { limits: ToolLimits; timeoutMs: number; advice?: string },
): string {
  if (result.kind === 'unavailable') return notRun(result);
  const output = truncateMiddle(result.output, limits.outputTokens * bytesPerToken);
  return [
    ending(result, timeoutMs),
    `Wall time: ${(result.durationMs / 1000).toFixed(1)} s`,
    output === '' ? 'No output.' : `Output:\n${output}`,
    ...(advice === undefined ? [] : [advice]),
  ].join('\n');
}

function notRun({ reason, remedy, isForAll }: Exclude<CommandResult, Ran>): string {
  const why = `${reason} ${remedy}`;
  return isForAll
    ? `The command did not run: no sandbox can be had on this machine, and nothing runs outside of one. ${why} No command will run in this turn; apply_patch still works. Tell the user what you could not check.`
    : `The command did not run. ${why} apply_patch still works. If it stays so, tell the user what you could not check.`;
}

function ending({ status, exitCode, limit, outputBytes }: Ran, timeoutMs: number): string {
  if (status === 'killed' && limit === undefined) return abortedOutput;
  const code = exitCode === undefined ? '' : `Exit code: ${exitCode}`;
  if (limit === undefined) return code || 'Ended without an exit code';
  if (limit === 'output' && status !== 'killed') return `${code}\nWrote ${outputBytes} bytes: the middle is left out`;
  const why = {
    time: `it ran longer than ${Math.round(timeoutMs / 1000)} s; ask for more with timeoutMs, or run less`,
    output: `it wrote ${outputBytes} bytes, more than may be`,
    processes: 'it wanted more processes than may run at once',
    memory: 'it used too much memory',
    disk: 'it wanted to write more to disk than may be',
  }[limit];
  return [`${status === 'killed' ? 'Killed' : 'Held by a limit'}: ${why}`, ...(code ? [code] : [])].join('\n');
}
