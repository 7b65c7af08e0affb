/** What a case of abuse is: a command that tries something, what has to be so afterwards, and what would break it. */
import type { CommandLimit } from '../../server/protocol/thread.ts';
import type { CommandResult, SandboxPolicy } from '../../server/sandbox/types.ts';

export const families = [
  'writes outside',
  'symlinks and special files',
  'planted execution',
  'secrets',
  'network',
  'the host',
  'processes and kernel',
  'lifetime',
  'resources',
] as const;
export type Family = (typeof families)[number];

/**
 * Without the sandbox the check has to fail. `same`: the same commands show it, and harm nobody. `namespace`: the same,
 * in namespaces of their own where they are root over nothing. `shell`: the commands themselves would do harm, or need
 * rights that whoever runs this lacks; these have the effect the check looks for.
 */
export type Control = 'same' | 'namespace' | { shell: string };

export type Case = {
  name: string;
  /** Bash, one command after the other over the same copy. `@NAME@` is filled in by the world. */
  shell: string | readonly string[];
  control: Control;
  /** `killed`: the last command does not come to its end. Default: every one does, and says so itself. */
  ends?: 'killed';
  /** Beside what holds for every case. None of them may find anything. */
  verify?: readonly Check[];
  /** What the copy says was changed: all of it, or as many first ones as there are here with a last `…`. */
  changes?: readonly string[];
  policy?: Partial<SandboxPolicy>;
  timeoutMs?: number;
  outputBytesMax?: number;
  /** Run by the user in the workspace, before. */
  setup?: string;
};

/**
 * `harm`: something is not as it has to be, and the control of a case has to show the same. `unproven`: nothing shows
 * that it was tried, or that what should stop it did.
 */
export type Problem = { harm: string } | { unproven: string };
export type Check = (seen: Seen) => Problem | undefined;

/** What can be seen from outside when a case is over. */
export type Seen = {
  /** Of each command, without the marks of its start and its end. */
  outputs: readonly string[];
  /** Of the last command. */
  result: Extract<CommandResult, { kind: 'ran' }> | undefined;
  limit: CommandLimit | undefined;
  durationMs: number;
  workspace: { before: Record<string, string>; after: Record<string, string> };
  world: { before: Outside; after: Outside };
  /** Processes and mounts that were left. */
  alive: readonly string[];
  upper: { bytes: number; entries: number };
  changes: readonly string[];
  problems: readonly string[];
};

/** The part of the machine that no command may touch. */
export type Outside = {
  /** The user's home, a folder beside the workspace: paths and what they hold. */
  files: Record<string, string>;
  /** Files of the world's own name at places where only a command could have put them. */
  planted: readonly string[];
  /** Listeners that somebody connected to. */
  connections: readonly string[];
  /** The user's other process. */
  processIsAlive: boolean;
  /** Of the machine: settings of the kernel that a command started by root could reach. */
  kernel: Record<string, string>;
};
