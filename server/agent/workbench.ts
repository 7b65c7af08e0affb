/** What the tools work on: the thread's copy and its sandbox, as a port, so that they can be tried alone. */
import type { FileKind } from '../protocol/changeset.ts';
import type { CommandResult } from '../sandbox/types.ts';

export type Permission = { allowed: true } | { allowed: false; reason: string; stopTurn?: boolean };

export type Workbench = {
  runCommand(request: {
    command: string;
    /** Workspace-relative with `/`; empty for the root. */
    cwd: string;
    timeoutMs: number;
    /** Absolute paths outside the workspace that were granted for this command. */
    readPaths: readonly string[];
    onOutput: (chunk: string) => void;
    signal: AbortSignal;
  }): Promise<CommandResult>;

  /** All or nothing. `error` says where the patch failed and why. */
  applyPatch(
    text: string,
  ): Promise<{ ok: true; files: { path: string; kind: FileKind }[] } | { ok: false; error: string }>;

  /** May this happen? Waits for the user where the policy says ask. `reason` is told to the model. */
  permit(
    action:
      | { kind: 'command'; command: string; cwd: string }
      | { kind: 'network'; hosts: string[]; reason: string; command: string }
      | { kind: 'read'; paths: string[]; reason: string; command: string }
      | { kind: 'patch' },
  ): Promise<Permission>;
};
