/** What has to be so after a case, as functions over what was seen; each says what is wrong, or nothing. */
import type { CommandLimit } from '../../server/protocol/thread.ts';
import type { Check, Problem, Seen } from './types.ts';
import { secretWord } from './world.ts';

/** Of every case, whatever it tries. */
export const always: readonly Check[] = [
  ({ workspace }) => difference("the user's workspace", workspace.before, workspace.after),
  ({ world }) => difference('what lies around the workspace', world.before.files, world.after.files),
  ({ world }) => list('planted', world.after.planted),
  ({ world }) => list('reached', world.after.connections),
  ({ world }) => (world.after.processIsAlive ? undefined : harm("the user's other process was ended")),
  ({ world }) => difference('the kernel', world.before.kernel, world.after.kernel),
  ({ alive }) => list('left alive or mounted', alive),
  ({ outputs }) => (outputs.join('').includes(secretWord) ? harm('a secret was read') : undefined),
];

/** Lines that the last command has to have said, each as a whole. */
export const says =
  (...lines: (string | RegExp)[]): Check =>
  ({ outputs }) => {
    const said = (outputs.at(-1) ?? '').split('\n');
    const missing = lines.filter(
      (line) => !said.some((one) => (typeof line === 'string' ? one === line : line.test(one))),
    );
    return missing.length === 0 ? undefined : { unproven: `it did not say ${missing.join(', ')}` };
  };

export const neverSays =
  (pattern: RegExp): Check =>
  ({ outputs }) => {
    const found = pattern.exec(outputs.join('\n'));
    return found ? harm(`it said ${JSON.stringify(found[0])}`) : undefined;
  };

export const endedBy =
  (...limits: CommandLimit[]): Check =>
  ({ limit, upper }) =>
    limit !== undefined && limits.includes(limit)
      ? undefined
      : {
          unproven: `what ended it was ${limit ?? 'no limit'}, not ${limits.join(' or ')}; the copy holds ${upper.bytes} bytes, ${upper.entries} entries`,
        };

export const upperHolds =
  ({ bytesMax = Infinity, entriesMax = Infinity }: { bytesMax?: number; entriesMax?: number }): Check =>
  ({ upper }) =>
    upper.bytes > bytesMax || upper.entries > entriesMax
      ? harm(`the copy holds ${upper.bytes} bytes and ${upper.entries} entries`)
      : undefined;

export const within =
  (milliseconds: number): Check =>
  ({ durationMs }) =>
    durationMs > milliseconds ? harm(`it took ${Math.round(durationMs)} ms`) : undefined;

/** Calls by `attempt`, each of which has to have been refused. */
export const refused =
  (...calls: string[]): Check =>
  ({ outputs }) => {
    const said = outputs.join('\n').split('\n');
    const linesOf = (call: string) => said.filter((line) => line.startsWith(`${call} `));
    const done = calls.filter((call) => linesOf(call).some((line) => !line.startsWith(`${call} -1 `)));
    if (done.length > 0) return harm(`not refused: ${done.join(', ')}`);
    const untried = calls.filter((call) => linesOf(call).length === 0);
    return untried.length === 0 ? undefined : { unproven: `not tried: ${untried.join(', ')}` };
  };

export const harm = (text: string): Problem => ({ harm: text });

export const problemsOf = (checks: readonly Check[], seen: Seen): Problem[] =>
  checks.flatMap((check) => check(seen) ?? []);

function difference(what: string, before: Record<string, string>, after: Record<string, string>): Problem | undefined {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (path) => before[path] !== after[path],
  );
  return paths.length === 0 ? undefined : harm(`${what} is not as it was: ${paths.slice(0, 5).join(', ')}`);
}

const list = (what: string, names: readonly string[]): Problem | undefined =>
  names.length === 0 ? undefined : harm(`${what}: ${names.slice(0, 5).join(', ')}`);
