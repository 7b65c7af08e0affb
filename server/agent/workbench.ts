/** What the tools work on: the thread's copy and its sandbox, as a port, so that they can be tried alone. */
import type { Action, Policy } from '../policy/assess.ts';
import type { FileKind } from '../protocol/changeset.ts';
import type { CommandResult } from '../sandbox/types.ts';

export type Permission = { allowed: true } | { allowed: false; reason: string; stopTurn?: boolean };

/** `outputFile`: DocumentUri. */
export type CommandEnd = CommandResult & { outputFile?: string };

export type Access = Pick<Policy, 'approvalPolicy' | 'network'>;

export type Workbench = {
  runCommand(request: {
    command: string;
    /** Workspace-relative with `/`; empty for the root. */
    cwd: string;
    timeoutMs: number;
    /** What was granted for this command: host patterns, and absolute paths outside the workspace. */
    opened: { hosts: readonly string[]; paths: readonly string[] };
    /** What is longer is kept whole in a file. */
    shownBytes: number;
    onOutput: (chunk: string) => void;
    signal: AbortSignal;
  }): Promise<CommandEnd>;

  /** All or nothing. `error` says where the patch failed and why. */
  applyPatch(
    text: string,
  ): Promise<{ ok: true; files: { path: string; kind: FileKind }[] } | { ok: false; error: string }>;

  /** May this happen? Waits for the user where the policy says ask. `reason` is told to the model. */
  permit(action: Action): Promise<Permission>;

  /** What a command finds open without asking, as it is now, and whether asking is of any use. */
  access(): Access;
};
