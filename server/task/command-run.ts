/** One command over the thread's copy, in the way this machine and this workspace allow; what it changed is then in the copy. */
import { foldersOf } from '../protocol/folders.ts';
import { workspaceIn } from '../sandbox/layers.ts';
import { runInSandbox } from '../sandbox/run.ts';
import { chooseStrategy } from '../sandbox/strategy.ts';
import type { CommandRequest, CommandResult, CopyTree } from '../sandbox/types.ts';
import type { ThreadCopy } from '../workspace/thread-copy.ts';
import type { MaterializeOptions } from '../workspace/tree.ts';

export type CommandRun = Omit<CommandRequest, 'layers' | 'strategy' | 'tree' | 'hidden' | 'inspect'> & {
  copy: Pick<ThreadCopy, 'layers' | 'scan' | 'materialize' | 'absorb'>;
  stateDir: string;
  unsandboxed: boolean;
  /** Sentences for the user: what could not be looked at. */
  report: (problems: readonly string[]) => void;
  /** Called with the reason where no overlay can be made, each time. */
  onCopied: (reason: string) => void;
};

/** The copy has been refreshed. As `runInSandbox`; where no sandbox runs, nothing runs. */
export async function runOverCopy(run: CommandRun): Promise<CommandResult> {
  const { copy, stateDir, unsandboxed, report, onCopied, ...command } = run;
  const { signal } = command;
  const [root, ...others] = foldersOf(workspaceIn(copy.layers));
  const strategy = await chooseStrategy({ stateDir, root, others, unsandboxed, signal });
  if (signal.aborted) return killed;
  if (strategy.kind === 'none') {
    return { kind: 'unavailable', reason: strategy.reason, remedy: strategy.remedy, isForAll: true };
  }
  const request: CommandRequest = { ...command, layers: copy.layers, strategy, hidden: [stateDir] };
  if (strategy.kind === 'overlay') return overMount(copy, request, report);
  if (strategy.kind === 'copy') onCopied(strategy.reason);
  return overTree(copy, request, report);
}

/** Looked through while it is still mounted: only so can a replaced folder be told from a changed one. */
async function overMount(copy: CommandRun['copy'], request: CommandRequest, report: CommandRun['report']) {
  const startedAtMs = Date.now();
  let scanned = false;
  const result = await runInSandbox({
    ...request,
    inspect: async (merged, mergedAt) => {
      report((await copy.scan({ startedAtMs, merged, mergedAt })).problems);
      scanned = true;
    },
  });
  if (!scanned && result.kind === 'ran') report((await copy.scan({ startedAtMs })).problems);
  return result;
}

async function overTree(
  copy: CommandRun['copy'],
  request: CommandRequest,
  report: CommandRun['report'],
): Promise<CommandResult> {
  const { signal, onOutput } = request;
  let tree: CopyTree;
  try {
    tree = await copy.materialize({
      linksAs: linksFor(request),
      standsApart: request.strategy?.kind !== 'copy',
      // Nothing else keeps the command from writing.
      isThrownAway: request.policy.mode === 'readOnly' && request.strategy?.kind === 'unsandboxed',
      signal,
      onProgress: onOutput && copyingLines(onOutput),
    });
  } catch (error) {
    if (signal.aborted) return killed;
    const why = error instanceof Error ? error.message : String(error);
    return {
      kind: 'unavailable',
      reason: `The workspace could not be copied: ${why}`,
      remedy: copyRemedy(error, request.strategy),
    };
  }
  const startedAtMs = Date.now();
  const result = await runInSandbox({ ...request, tree });
  if (result.kind !== 'ran') return result;
  report((await copy.absorb()).problems);
  report((await copy.scan({ startedAtMs })).problems);
  return result;
}

function copyRemedy(error: unknown, strategy: CommandRequest['strategy']): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return 'Make room in the state folder, or set CODEX_LSP_STATE_DIR to a folder with more.';
  if (strategy?.kind !== 'copy') return 'Without a sandbox commands need that copy.';
  return `An overlay would need no copy; here there is none: ${strategy.reason}`;
}

/** Large ignored folders of the user's: read-only where something sees to it, else copies. */
function linksFor({ strategy }: CommandRequest): MaterializeOptions['linksAs'] {
  if (strategy?.kind === 'unsandboxed') return 'copies';
  return strategy?.kind === 'seatbelt' ? 'symlinks' : 'mountPoints';
}

const copyingLines =
  (onOutput: (chunk: string) => void) =>
  (done: number, total: number): void =>
    onOutput(`copying the workspace: ${grouped(done)} of ${grouped(total)} files …\n`);

const grouped = (count: number): string => count.toLocaleString('en-US');

/** How a thread's user is told, once for each reason: it is slower, and why. */
export const copiedWarning = (reason: string): string =>
  `No overlay can be made here, so the workspace is copied: ${reason}`;

const killed: CommandResult = { kind: 'ran', status: 'killed', output: '', outputBytes: 0, durationMs: 0 };
