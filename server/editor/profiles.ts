/** What each editor really does, by the name it sends; capabilities alone lie. `profile-table.ts` is the literal table. */
import type { ClientCapabilities } from 'vscode-languageserver';
import type { ApplyProfile } from '../changeset/review-types.ts';
import type { Settings } from '../protocol/settings.ts';
import { aliases, table } from './profile-table.ts';

export type Profile = {
  name: string;
  /** A WorkspaceEdit may have `documentChanges`, with versions. */
  documentChanges: boolean;
  /** `firstOnly`: of a WorkspaceEdit, only the first document's version is looked at, so each document gets one of its own. */
  versionCheck: 'each' | 'firstOnly';
  /** A hidden buffer that an edit changes is written to disk at once, and told of only when it is shown. */
  savesEdits: boolean;
  /** Part of the reason of a no that is none: the user has been given the edit, and may still do it. */
  leavesToUser?: string;
  /** Who writes under the setting `apply: auto`. */
  applyMode: ApplyProfile['mode'];
  /** An approval may be asked by `window/showMessageRequest`: no keystroke meant for the text can answer it. */
  dialog: boolean;
  /** `window/showDocument` opens a file. */
  showDocument: boolean;
  /** The editor attaches the server only to files inside the workspace, so documents for the user live there. */
  documentsInWorkspace: boolean;
  /** How the user sees a file that the server wrote while it was open. */
  reload: string;
};

/** `name` is `clientInfo.name`; Kate and ALE send none. Where the table says nothing, the capability does, else what does no harm. */
export function profileOf(name: string | undefined, capabilities: ClientCapabilities): Profile {
  const known = aliases.find(([pattern]) => pattern.test(name ?? ''))?.[1] ?? name ?? '';
  const facts = (Object.hasOwn(table, known) ? table[known] : undefined) ?? {};
  const edit = capabilities.workspace?.workspaceEdit;
  return {
    name: name ?? '',
    // Whoever declares the operations that only documentChanges can hold does those as well (Neovim, yegappan/lsp).
    documentChanges:
      facts.documentChanges ?? (edit?.documentChanges === true || (edit?.resourceOperations?.length ?? 0) > 0),
    versionCheck: facts.versionCheck ?? 'each',
    savesEdits: facts.savesEdits ?? false,
    ...(facts.leavesToUser === undefined ? {} : { leavesToUser: facts.leavesToUser }),
    // Open documents by a versioned edit, closed files by the server, for no editor saves what it is sent. Without applyEdit
    // (ALE says false; Kate says nothing, takes an edit only in the 2 s after a command, and looks at no version) the server writes all.
    applyMode: capabilities.workspace?.applyEdit === true ? 'mixed' : 'disk',
    dialog: facts.dialog ?? false,
    showDocument: facts.showDocument ?? capabilities.window?.showDocument?.support === true,
    documentsInWorkspace: facts.documentsInWorkspace ?? true,
    reload: facts.reload ?? 'reload it there',
  };
}

/** The setting `apply`, where the editor can do at all what it says. */
export function applyModeOf(setting: Settings['apply'], profile: Profile): ApplyProfile['mode'] {
  return setting === 'auto' || profile.applyMode === 'disk' ? profile.applyMode : setting;
}

/** Why the setting `apply` is not followed, where it is not. */
export function applyModeProblem(setting: Settings['apply'], profile: Profile): string | undefined {
  if (setting === 'auto' || applyModeOf(setting, profile) === setting) return undefined;
  return `apply: "${setting}" needs an editor that takes edits from a server (workspace/applyEdit); this one does not, so the server writes all to disk`;
}
