/** From what was found out about machine and workspace to how commands run there; pure. */
import type { Strategy } from './types.ts';

/** What can be tried by running a command that way. `unshare` and `bwrap`: who makes the overlay. */
export type Rung = 'unshare' | 'bwrap' | 'copy' | 'seatbelt';

export type Finding = { works: true } | { works: false; reason: string; remedy: string };

export type Findings = {
  platform: NodeJS.Platform;
  /** The user's own setting. */
  unsandboxed: boolean;
  /** Why no overlay can hold this workspace, whatever the machine can do, as a sentence. */
  forced?: string;
  tried: Readonly<Partial<Record<Rung, Finding>>>;
};

/** The best that works. What is to be tried before that is known comes first, the best of it first. */
export function nextStep(findings: Findings): { choose: Strategy } | { probe: Rung } {
  const { platform, unsandboxed, forced, tried } = findings;
  const rungs = ladderOf(platform, forced);
  if (rungs.length === 0) {
    const reason = `There is no sandbox for ${platform}.`;
    return { choose: { kind: 'none', reason, remedy: 'Run codex-lsp on Linux, in WSL 2 on Windows, or on macOS.' } };
  }
  if (unsandboxed) return { choose: { kind: 'unsandboxed' } };
  let failure: Extract<Finding, { works: false }> | undefined;
  let first: typeof failure;
  for (const rung of rungs) {
    const finding = tried[rung];
    if (finding === undefined) return { probe: rung };
    if (finding.works) return { choose: strategyOf(rung, forced ?? reasonOf(first)) };
    first ??= finding;
    failure = finding;
  }
  // The last rung asks the least of the machine: who mends that has a sandbox.
  const { reason = '', remedy = '' } = failure ?? {};
  return { choose: { kind: 'none', reason, remedy } };
}

/** For several folders that one command sees: the way that all of them allow. At least one. */
export function weakest(first: Strategy, others: readonly Strategy[]): Strategy {
  const all = [first, ...others];
  return all.find(({ kind }) => kind === 'none') ?? all.find(({ kind }) => kind === 'copy') ?? first;
}

function ladderOf(platform: NodeJS.Platform, forced: string | undefined): readonly Rung[] {
  if (platform === 'darwin') return ['seatbelt'];
  if (platform !== 'linux') return [];
  return forced === undefined ? ['unshare', 'bwrap', 'copy'] : ['copy'];
}

function strategyOf(rung: Rung, reason: string): Strategy {
  switch (rung) {
    case 'unshare':
    case 'bwrap':
      return { kind: 'overlay', by: rung };
    case 'copy':
      return { kind: 'copy', reason };
    case 'seatbelt':
      return { kind: 'seatbelt' };
  }
}

const reasonOf = (failure: { reason: string; remedy: string } | undefined): string =>
  failure === undefined ? '' : `${failure.reason} ${failure.remedy}`;
