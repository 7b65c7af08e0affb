/** The values a review is made of. Paths are workspace-relative with `/`; lines are 0-based. */
import type { FileKind, HunkStatus } from '../protocol/changeset.ts';
import type { FileState } from './file-state.ts';

/** A path the agent changed in its copy. `unknown`: the user changed the file meanwhile and no base was kept. */
export type CopyChange = { path: string; base: FileState | 'unknown'; agent: FileState };

/** A replacement of whole lines: `deleteCount` lines from `line` on give way to `lines`, each with its own line end. */
/** `hunk`: whose it is, where it is known and one's alone. */
export type LineEdit = { line: number; deleteCount: number; lines: readonly string[]; hunk?: string };

export type ReviewHunk = {
  /** Made of path and changed text, so that it survives rebase, restart and the acceptance of other hunks. */
  id: string;
  status: HunkStatus;
  /** Where it stands in the text as the user has it now; for a conflict, the user's lines that stand in its way. */
  line: number;
  /** Lines of the user's text it replaces (for a conflict: the base lines it was made for), with their line ends. */
  oldLines: readonly string[];
  newLines: readonly string[];
  /** Of a conflict: the user's lines that stand in its way, from `line` on. */
  userLines?: readonly string[];
  /** Of a conflict in a text: what would stand there instead if the agent's change were put over them. */
  insteadLines?: readonly string[];
};

export type ReviewFile = {
  path: string;
  kind: FileKind;
  /** Of a rename: where the base was. */
  from?: string;
  /** Where the user has the file now: `path`, or `from` while a rename is not accepted. */
  userPath: string;
  base: FileState | 'unknown';
  agent: FileState;
  /** As the user has it now, at `userPath`: buffer over disk. */
  user: FileState;
  sensitive?: string;
  /** Has texts that are never split into lines: the whole change is one hunk of zero lines. */
  tooLarge?: true;
  /** The user's text has the change of a hunk that is not listed. */
  isThere?: true;
  /** At least one; a binary, too large, mode-only, rename-only or empty-file change has one of zero lines. */
  hunks: readonly ReviewHunk[];
};

/** `settled`: where the user has files with a hunk that is not listed because their text has its change. */
export type Review = { files: readonly ReviewFile[]; settled?: readonly string[] };

/** Decided in this review, by hunk id. */
export type Decisions = { get(id: string): 'accepted' | 'rejected' | undefined };

/** What accepting some hunks makes of one file: from `before` (as the user has it now) to `after`. */
export type FileOutcome = {
  path: string;
  /** Of a rename that is still to be done: where the user has the file. */
  from?: string;
  before: FileState;
  after: FileState;
  /** The same as text edits, where both are text: against `before`, in ascending order, not overlapping. */
  edits: readonly LineEdit[];
  /** Ids of the accepted hunks: first those of `edits`, in their order, then those without lines. */
  hunks: readonly string[];
  /** `after` is a file as the user had it, all of its mode included. */
  restores?: true;
};

/** What an editor can be trusted with; see the client profiles in `editor/`. */
export type ApplyProfile = {
  /** Who writes: `editor` everything textual, `disk` nothing through the editor, `mixed` only open documents. */
  mode: 'editor' | 'disk' | 'mixed';
};

/** Who does what, decided before anything is done. */
export type ApplyPlan = {
  /** Versioned text edits, for the editor to do. A null version: a document that is not open. */
  editor: readonly { path: string; version: number | null; edits: readonly LineEdit[]; after: FileState }[];
  /**
   * For the server to write, each only where `before` still holds. `from`: remove that path too. Where `before` and
   * `after` have the same text it is a chmod, whatever text is on disk: the buffer it stands for may not be saved.
   */
  disk: readonly { path: string; from?: string; before: FileState; after: FileState; restores?: true }[];
};
