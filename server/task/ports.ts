/** What a task needs of the face that started it (an editor's connection, or the shell), and what it is asked for. */
import type { ApplyPlan, ApplyProfile } from '../changeset/review-types.ts';
import type { Workspace } from '../protocol/folders.ts';
import type { Effort, Settings } from '../protocol/settings.ts';
import type { Decision } from '../protocol/thread.ts';

/** The open documents of a face. A document is truth over its file. */
export type OpenDocuments = {
  /** By workspace-relative path, as they are at this moment: a new map that nobody changes later. */
  under(root: string): ReadonlyMap<string, OpenDocument>;
  /** Those of the other connections that are there at this moment, in the order in which they came. */
  others?(): readonly OpenDocuments[];
};

/** `isSaved`: the file is known to have held this text, whatever it holds now. Left out: it has to be looked at. */
export type OpenDocument = { version: number; text: string; isSaved?: boolean };

export const noDocuments: OpenDocuments = { under: () => new Map() };

/** Applies accepted changes where the user is. */
export type Face = {
  documents: OpenDocuments;
  profile: ApplyProfile;
  /**
   * Sends text edits to the editor and answers, per path, what really became of them, verified against the text the
   * editor then has: `undefined` = as planned, else the reason it failed (`unconfirmed` after 10 s without a sign; `unconfirmed: …` where the editor
   * left before).
   * Not called with an empty list.
   */
  applyEdits(root: string, edits: ApplyPlan['editor']): Promise<ReadonlyMap<string, string | undefined>>;
  /** Told what the server has written or removed itself: an open document may still show what was there before. */
  wrote?(root: string, files: readonly WrittenFile[]): void;
};

/** `text`: what it holds now, where it is text. */
export type WrittenFile = { path: string; isGone: boolean; text?: string };

/** Whole lines, 0-based, end exclusive. */
export type LineRange = { start: number; end: number };

/** Something the task was delegated from, shown to the model with the prompt. */
export type Attachment = {
  path: string;
  lines?: LineRange;
  /** The selected text, as the buffer has it. */
  selection?: string;
  diagnostics?: readonly {
    line: number;
    severity: 'error' | 'warning' | 'information' | 'hint';
    message: string;
    source?: string;
  }[];
  /** The buffer differs from the file on disk. */
  unsaved?: boolean;
};

/** Its workspace: absolute, real paths. A thread that is gone on with has its own, whatever is said here. */
export type TaskRequest = Workspace & {
  /** Folders of the user that the task has not, as sentences that say why. */
  leftOut?: readonly string[];
  prompt: string;
  /** Goes on with this thread. */
  threadId?: string;
  mode: 'task' | 'ask';
  model?: string;
  effort?: Effort;
  attachments: readonly Attachment[];
  /** Changes made before the turn on the agent's behalf: the `codex:` comment taken out. Texts are whole files. */
  seeds: readonly { path: string; base: string; text: string }[];
  /** A conflicting hunk that this turn makes anew; see `redoOf`. */
  redo?: string;
  /** Where it was delegated from; line 0-based. */
  origin?: { path: string; line: number };
  settings: Settings;
  /** The environment of the face, for key, base URL and names in `sandbox.env`. */
  environment: Readonly<Record<string, string | undefined>>;
  documents: OpenDocuments;
  outputSchema?: Record<string, unknown>;
};

/**
 * Hunks or files of a review; neither: everything pending that is not sensitive. `overMine`: conflicting ones among
 * `hunks` are meant as well, to be put over the user's text.
 */
export type Selection = { hunks?: readonly string[]; files?: readonly string[]; overMine?: boolean };

export type Answer = { decision: Decision; answer?: string };
