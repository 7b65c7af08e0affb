/** The editors that people use, as a table: what they say at `initialize`, and how they really do an edit (editors.md, parts A and B). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ErrorCodes, ResponseError } from 'vscode-jsonrpc/node';
import type { ApplyWorkspaceEditParams, ClientCapabilities, Position, TextEdit } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Editor, EditorOptions, Hands } from './editor.ts';

type Traits = {
  /** Which versions it compares with its own; `rebases`: it moves the edit to where it belongs now. */
  versions: 'exact' | 'exactUnlessZero' | 'firstUnlessZero' | 'rebases' | 'none';
  /** What it answers where they differ. */
  onStale?: 'refuses' | 'refusesWithoutReason' | 'fails' | 'saysYes';
  firstVersion?: number;
  tellDelayMs?: number;
  /** Vim's kin tell of a final newline whether the file has one or not; VS Code of one kind of line end. */
  shows?: 'finalNewline' | 'oneLineEnd';
  /** Writes what it edits. */
  saves?: true;
  /** Reads the key unasked. */
  needsVersionKey?: true;
  /** Reads only `changes`, or both forms. */
  onlyChanges?: true;
};

export type Client = {
  /** Of a file in test/fixtures/clients, or what part A of editors.md says of one that nobody has recorded. */
  said: string | { clientInfo?: { name: string }; capabilities: ClientCapabilities };
  traits: Traits | 'takesNone';
  /** What the message after an apply calls the way to see what the server wrote. */
  reload: string;
};

const operations = ['create', 'rename', 'delete'] as const;
const named = (name: string, edit?: { documentChanges?: boolean; ops?: boolean }) => ({
  clientInfo: { name },
  capabilities: {
    workspace: {
      applyEdit: true,
      ...(edit
        ? {
            workspaceEdit: {
              ...(edit.documentChanges ? { documentChanges: true } : {}),
              ...(edit.ops ? { resourceOperations: [...operations] } : {}),
            },
          }
        : {}),
    },
  },
});
const all = { documentChanges: true, ops: true };
const vim = 'run :checktime';
const itself = 'it reloads by itself unless it has unsaved changes';
const helix: Client['traits'] = { versions: 'exact', onStale: 'refuses', firstVersion: 0 };
const neovim: Client['traits'] = {
  versions: 'firstUnlessZero',
  onStale: 'saysYes',
  firstVersion: 0,
  tellDelayMs: 150,
  shows: 'finalNewline',
};
const eglot: Client['traits'] = { versions: 'exact', onStale: 'fails', firstVersion: 0, tellDelayMs: 500 };

export const clients: Readonly<Record<string, Client>> = {
  'Helix 25.01': { said: 'hx-25.01.1', traits: helix, reload: 'run :reload (or :reload-all)' },
  'Helix 25.07': { said: 'hx-25.07.1+20260723', traits: helix, reload: 'run :reload (or :reload-all)' },
  'Neovim 0.10': { said: 'nvim-0.10.4', traits: neovim, reload: vim },
  'Neovim 0.12': { said: 'nvim-0.12.4', traits: neovim, reload: vim },
  'Eglot of Emacs 30.1': { said: 'emacs-eglot-30.1', traits: eglot, reload: 'run M-x revert-buffer' },
  'Eglot of Emacs 30.2': { said: 'emacs-eglot-30.2', traits: eglot, reload: 'run M-x revert-buffer' },
  'lsp-mode': {
    said: 'emacs-lsp-mode-10.0.0',
    traits: { versions: 'exactUnlessZero', onStale: 'refusesWithoutReason', firstVersion: 0 },
    reload: 'run M-x revert-buffer',
  },
  'vim-lsp': {
    said: 'vim-lsp-git-on-vim-9.2',
    traits: { versions: 'none', shows: 'finalNewline', onlyChanges: true },
    reload: vim,
  },
  ALE: { said: 'vim-ale-4.0.0', traits: 'takesNone', reload: 'reload it there' },
  Kate: { said: { capabilities: { workspace: {} } }, traits: 'takesNone', reload: 'reload it there' },
  'yegappan/lsp': {
    said: named('Vim', { ops: true }),
    traits: { versions: 'none', shows: 'finalNewline' },
    reload: vim,
  },
  Zed: { said: named('Zed', all), traits: { versions: 'rebases', firstVersion: 0 }, reload: itself },
  'coc.nvim': {
    said: named('coc.nvim', all),
    traits: { versions: 'exactUnlessZero', onStale: 'refusesWithoutReason', shows: 'finalNewline' },
    reload: vim,
  },
  Sublime: {
    said: named('Sublime Text LSP', all),
    traits: { versions: 'exact', onStale: 'refuses', firstVersion: 0, needsVersionKey: true },
    reload: itself,
  },
  'VS Code': {
    said: named('Visual Studio Code', all),
    traits: { versions: 'exact', onStale: 'refusesWithoutReason', shows: 'oneLineEnd' },
    reload: itself,
  },
  'kakoune-lsp': {
    said: named('kakoune-lsp', all),
    traits: { versions: 'none', firstVersion: 0, saves: true },
    reload: 'run :edit!',
  },
};

const fixtures = join(import.meta.dirname, '../fixtures/clients');

/** What this client sends and does, for `openEditor`. */
export async function clientOptions({ said, traits }: Client): Promise<Partial<EditorOptions>> {
  const { clientInfo, capabilities, initializationOptions } =
    typeof said === 'string' ? JSON.parse(await readFile(join(fixtures, `${said}.json`), 'utf8')) : { ...said };
  const does = traits === 'takesNone' ? { applyEdit: takesNone } : traitsOptions(traits);
  return { clientInfo, capabilities, initializationOptions, ...does };
}

const traitsOptions = (traits: Traits): Partial<EditorOptions> => ({
  applyEdit: handsOf(traits),
  firstVersion: traits.firstVersion,
  tellDelayMs: traits.tellDelayMs,
  shows: traits.shows && (traits.shows === 'finalNewline' ? withFinalNewline : withOneLineEnd),
});

const withFinalNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
const withOneLineEnd = (text: string): string => text.replace(/\r?\n/g, text.includes('\r\n') ? '\r\n' : '\n');

/** It was never to be asked. */
export const takesNone: Hands = async () => {
  throw new ResponseError(ErrorCodes.MethodNotFound, 'workspace/applyEdit');
};

type Change = { path: string; version: number | null; edits: readonly TextEdit[] };

export function changesIn({ edit }: ApplyWorkspaceEditParams, editor: Editor): Change[] {
  const versioned = (edit.documentChanges ?? []).map((change): Change => {
    if (!('textDocument' in change)) throw new Error('an operation on files');
    const edits = change.edits.filter((one): one is TextEdit => 'newText' in one);
    return { path: editor.path(change.textDocument.uri), version: change.textDocument.version, edits };
  });
  const plain = Object.entries(edit.changes ?? {}).map(([uri, edits]) => ({
    path: editor.path(uri),
    version: null,
    edits,
  }));
  return [...versioned, ...plain];
}

function handsOf(traits: Traits): Hands {
  return async (params, editor) => {
    const { edit } = params;
    if (traits.onlyChanges && edit.documentChanges) throw new Error("E716: Key not present in Dictionary: 'edit'");
    if (traits.needsVersionKey && !JSON.stringify(edit).includes('"version"')) throw new Error("KeyError: 'version'");
    const changes = changesIn(params, editor);
    const compared = traits.versions === 'firstUnlessZero' ? changes.slice(0, 1) : changes;
    if (compared.some((change) => isStale(traits, change, editor))) return answerToStale(traits);
    for (const { path, version, edits } of changes) {
      if (!editor.isOpen(path)) await editor.open(path);
      const isClean = (await editor.disk(path)) === (await editor.text(path));
      editor.edit(path, traits.versions === 'rebases' ? await moved(editor, { path, version, edits }) : edits);
      if (traits.saves && isClean) await editor.save(path);
    }
    return { applied: true };
  };
}

/** From the text of the version it names to the text of now, which differs in one place. */
async function moved(editor: Editor, { path, version, edits }: Change): Promise<readonly TextEdit[]> {
  const now = await editor.text(path);
  const then = (version ? editor.textAt(path, version) : undefined) ?? now;
  const sizeMax = Math.min(then.length, now.length);
  let start = 0;
  while (start < sizeMax && then[start] === now[start]) start++;
  let end = 0;
  while (end < sizeMax - start && then.at(-1 - end) === now.at(-1 - end)) end++;
  const from = TextDocument.create('', '', 0, then);
  const to = TextDocument.create('', '', 0, now);
  const place = (position: Position): Position => {
    const at = from.offsetAt(position);
    return to.positionAt(at <= start ? at : Math.max(start, at + now.length - then.length));
  };
  return edits.map(({ range, newText }) => ({ range: { start: place(range.start), end: place(range.end) }, newText }));
}

function isStale({ versions }: Traits, { path, version }: Change, editor: Editor): boolean {
  if (versions === 'none' || versions === 'rebases' || version === null) return false;
  if (versions !== 'exact' && version === 0) return false;
  return editor.version(path) !== version;
}

function answerToStale({ onStale }: Traits): unknown {
  if (onStale === 'fails') throw new ResponseError(ErrorCodes.InternalError, 'Edits require version 2, you have 3');
  if (onStale === 'saysYes') return { applied: true };
  return { applied: false, ...(onStale === 'refuses' ? { failureReason: 'document has changed' } : {}) };
}
