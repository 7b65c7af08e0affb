/** The open documents of one connection, kept in step with the editor whatever order its messages come in. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LineChange } from '../changeset/line-change.ts';
import { sameButEnds } from '../changeset/lines.ts';
import type { OpenDocument, OpenDocuments } from '../task/ports.ts';
import type { ContentChange } from './from-lsp.ts';
import { LineDocument } from './line-document.ts';
import { pathOf, within } from './uri.ts';

/** `lines`: what changed, one after the other, each in the text that the one before left; absent where it was not typed. */
type Listener = (uri: string, lines?: readonly LineChange[]) => unknown;
type Change = { version: number | undefined; changes: readonly ContentChange[] };

type Entry = {
  uri: string;
  /** Absent while the base of a change that came before `didOpen` is read. */
  document?: LineDocument;
  waiting: Change[];
  /** A text that the file is known to have held. */
  saved?: string;
  /** The real path once known, before that the path of the URI; absent for other schemes. */
  path?: string;
};

const baseBytesMax = 64 * 1024 * 1024;

export class Documents implements OpenDocuments {
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<Listener>();
  readonly #pending = new Set<Promise<void>>();
  readonly #realFolders = new Map<string, string>();

  open(uri: string, languageId: string, version: number, text: string): void {
    const entry = this.#entry(uri);
    entry.waiting = [];
    entry.saved = undefined;
    entry.document = new LineDocument(uri, languageId, version, text);
    this.#track(this.#compare(entry, text));
    this.#changed(uri);
  }

  saved(uri: string): void {
    const entry = this.#entries.get(uri);
    if (entry?.document) entry.saved = entry.document.getText();
  }

  /** A version that jumps or repeats is taken as it is. */
  change(uri: string, version: number | undefined, changes: readonly ContentChange[]): void {
    const entry = this.#entry(uri);
    const isKnown = entry.document !== undefined;
    if (!entry.document && changes.some(isFull)) {
      entry.document = new LineDocument(uri, '', version ?? 0, '');
      entry.waiting = [];
    }
    if (entry.document) {
      const lines = update(entry.document, { version, changes });
      this.#changed(uri, isKnown ? lines : undefined);
      return;
    }
    entry.waiting.push({ version, changes });
    if (entry.waiting.length === 1) this.#track(this.#readBase(entry));
  }

  close(uri: string): void {
    if (this.#entries.delete(uri)) this.#changed(uri);
  }

  /** The editor is gone: nobody is told. */
  closeAll(): void {
    this.#listeners.clear();
    this.#entries.clear();
  }

  get(uri: string): LineDocument | undefined {
    return this.#entries.get(uri)?.document;
  }

  /** The absolute path of a document or of any other `file:` URI, with symlinks resolved where that is known already. */
  pathOf(uri: string): string | undefined {
    return this.#entries.get(uri)?.path ?? this.#mapped(pathOf(uri));
  }

  /** The open document that shows this file. */
  at(path: string): LineDocument | undefined {
    for (const entry of this.#entries.values()) if (entry.path === path && entry.document) return entry.document;
    return undefined;
  }

  all(): LineDocument[] {
    return [...this.#entries.values()].flatMap(({ document }) => (document ? [document] : []));
  }

  under(root: string): ReadonlyMap<string, OpenDocument> {
    const found = new Map<string, OpenDocument>();
    for (const { document, path, saved } of this.#entries.values()) {
      const inside = path === undefined ? undefined : within(root, path);
      if (!document || !inside) continue;
      const text = document.getText();
      found.set(inside, { version: document.version, text, ...(text === saved ? { isSaved: true } : {}) });
    }
    return found;
  }

  /** Called, synchronously, whenever a document was opened, changed or closed. Returns the function that unsubscribes. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What the editor calls `folder` is `real` on disk. */
  folderIs(folder: string, real: string): void {
    this.#realFolders.set(folder, real);
    for (const entry of this.#entries.values()) if (entry.path) entry.path = this.#mapped(entry.path);
  }

  /** Resolves when every path is known and every base is read; at most a few file system calls away. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #entry(uri: string): Entry {
    const known = this.#entries.get(uri);
    if (known) return known;
    const entry: Entry = { uri, waiting: [], path: this.#mapped(pathOf(uri)) };
    this.#entries.set(uri, entry);
    if (entry.path !== undefined) this.#track(this.#resolve(entry, entry.path));
    return entry;
  }

  #mapped(path: string | undefined): string | undefined {
    if (path === undefined) return undefined;
    for (const [folder, real] of this.#realFolders) {
      const inside = within(folder, path);
      if (inside !== undefined) return join(real, inside);
    }
    return path;
  }

  async #resolve(entry: Entry, path: string): Promise<void> {
    entry.path = await realpath(path).catch(async () => {
      // A file that is not on disk yet.
      const folder = await realpath(dirname(path)).catch(() => undefined);
      return folder === undefined ? entry.path : join(folder, basename(path));
    });
  }

  /** Whether it was opened as its file is. */
  async #compare(entry: Entry, opened: string): Promise<void> {
    const text = await onDisk(entry.uri);
    if (text !== undefined && sameButEnds(text, opened)) entry.saved ??= opened;
  }

  async #readBase(entry: Entry): Promise<void> {
    // Not on disk: an empty document is the only base there can be.
    const text = (await onDisk(entry.uri)) ?? '';
    if (entry.document || this.#entries.get(entry.uri) !== entry) return;
    const document = new LineDocument(entry.uri, '', 0, text);
    for (const change of entry.waiting) update(document, change);
    entry.waiting = [];
    entry.document = document;
    this.#changed(entry.uri);
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => {}).finally(() => this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  #changed(uri: string, lines?: readonly LineChange[]): void {
    for (const listener of this.#listeners) listener(uri, lines);
  }
}

async function onDisk(uri: string): Promise<string | undefined> {
  const path = pathOf(uri);
  if (path === undefined) return undefined;
  try {
    return (await stat(path)).size <= baseBytesMax ? await readFile(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** One by one: each range counts in the text that the change before it left. */
function update(document: LineDocument, { version, changes }: Change): LineChange[] {
  document.version = version ?? document.version + 1;
  return changes.flatMap(({ range, text }) => document.edit(range ?? undefined, text) ?? []);
}

const isFull = ({ range }: ContentChange): boolean => !range;
