/** What the sandbox is asked for, and what it answers. */
import type { CommandLimit } from '../protocol/thread.ts';
import type { Internet } from './network/internet.ts';

/** What is possible for a command, whoever asks. Nothing the model says can widen it. */
export type SandboxPolicy = {
  /** `readOnly`: the workspace can't be written. */
  mode: 'workspace' | 'readOnly';
  /** A list: only these hosts (`example.com`, `*.example.com`), through a proxy of ours. */
  network: 'off' | 'full' | readonly string[];
  /** Absolute folders or files outside the workspace that may be read; sockets in them are dead, those that come later only where there is an overlay. */
  readableRoots: readonly string[];
  /** Unix sockets of services, absolute, that may be connected to; none inside the workspace. */
  sockets: readonly string[];
  /** Environment variables passed on, by name. */
  env: readonly string[];
  processesMax: number;
  memoryBytesMax: number;
  diskBytesMax: number;
  /** Files and folders written; default 200,000, and no setting changes it. */
  entriesMax?: number;
};

/** The layers of one folder's copy, on the host. All absolute. */
export type FolderLayers = {
  /** The user's workspace, real path: the lower layer, and where the overlay is mounted. */
  root: string;
  upper: string;
  work: string;
  /** A file: NUL-separated workspace-relative paths still to be made whiteouts in `upper` before the next mount. */
  whiteouts: string;
};

/** The layers of a thread's copy. */
export type CopyLayers = FolderLayers & {
  /**
   * Overlays of their own beside the workspace's: the git folder that a linked worktree shares with others. Where the
   * strategy is no overlay, commands see only what `CopyTree.beside` has of it: the user's own holds credentials.
   */
  beside?: readonly FolderLayers[];
  /** Of the workspace's further folders, where it has several: none lies in another. Commands start in the first. */
  others?: readonly CopyLayers[];
};

/** How a thread's copy comes to stand where its commands run, and what keeps them in. */
export type Strategy =
  /** The kernel mounts the upper layer over the workspace; `bwrap`: only the system's bubblewrap may make namespaces. */
  | { kind: 'overlay'; by: 'unshare' | 'bwrap' }
  /** A whole copy stands at the workspace's path. `reason`: why it is no overlay, as a sentence. */
  | { kind: 'copy'; reason: string }
  /** macOS: a whole copy at a path of its own, and `sandbox-exec`. */
  | { kind: 'seatbelt' }
  /** `sandbox.dangerouslyUnsandboxed`: a whole copy at a path of its own, and nothing that keeps a command in. */
  | { kind: 'unsandboxed' }
  /** Commands do not run. */
  | { kind: 'none'; reason: string; remedy: string };

/** What a tree holds that no command has written; bytes on disk. */
type Held = { bytes: number; entries: number };

/** The copy as a whole tree, where there is no overlay. */
export type CopyTree = {
  /** Absolute. */
  path: string;
  /** Large ignored folders of the workspace, relative to it, that are not in the tree: the user's own, read-only. */
  links: readonly string[];
  /** Whole copies, at `path`, of the folders `root` outside the workspace. All absolute. */
  beside?: readonly { root: string; path: string; held?: Held }[];
  /** Without it everything in the tree counts as written by commands. */
  held?: Held;
  /** Of the workspace's further folders. */
  others?: readonly (CopyTree & { root: string })[];
};

export type SandboxStatus =
  | { kind: 'overlay'; bwrapVersion: string }
  /** `reason`: why no overlay can be made. */
  | { kind: 'copy'; bwrapVersion: string; reason: string }
  | { kind: 'seatbelt' }
  /** `remedy`: what to do, a command where there is one. */
  | { kind: 'none'; reason: string; remedy: string };

export type CommandRequest = {
  layers: CopyLayers;
  /** By default an overlay that `unshare` makes. */
  strategy?: Strategy;
  /** Where the strategy is not an overlay. */
  tree?: CopyTree;
  policy: SandboxPolicy;
  /** Folders of ours that no command may see, wherever they lie: the state folder. */
  hidden?: readonly string[];
  /** Of the face that asks: where PATH, the language and `policy.env` come from. Nothing else of it reaches the command. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Run by `/bin/bash -c`. */
  command: string;
  /** Absolute, inside the workspace. */
  cwd: string;
  timeoutMs: number;
  /** Bytes of output kept, head and tail; what is beyond is drained and counted. */
  outputBytesMax: number;
  signal: AbortSignal;
  /** What the hosts of `policy.network` are reached by; default the real one. */
  internet?: Internet;
  /** Live output, as it comes, decoded; not after the result is there. At most `outputBytesMax` bytes in all. */
  onOutput?: (chunk: string) => void;
  /** All of the output, as it comes. */
  onBytes?: (chunk: Buffer) => void;
  /**
   * Called once after the command has ended by itself, with a path at which its copy can be read and written from
   * outside: mounted still or once more, or the tree's own; no process of the command lives. `mergedAt`: the same for
   * each folder of the workspace.
   */
  inspect?: (mergedRoot: string, mergedAt: (root: string) => string) => Promise<void>;
};

export type CommandResult =
  | {
      kind: 'ran';
      /** `killed`: by us, because of `limit`, or (no limit) because the signal fired. */
      status: 'completed' | 'failed' | 'killed';
      exitCode?: number;
      /** `output` without `killed`: the command ran to its end, and only what was beyond the limit is left out. */
      limit?: CommandLimit;
      /** stdout and stderr as they came; the middle left out beyond `outputBytesMax`, and said so. */
      output: string;
      /** Bytes there were in all. */
      outputBytes: number;
      durationMs: number;
      /** Hosts that it asked the proxy for and was refused, each once. */
      refusedHosts?: readonly string[];
    }
  /** The command did not run at all. `isForAll`: nor will another, as no sandbox can be had on this machine. */
  | { kind: 'unavailable'; reason: string; remedy: string; isForAll?: boolean };
