/** The user's unsaved texts in a copy: put in before a command, and taken out when they are saved or closed. */
import type { FileState } from '../changeset/file-state.ts';
import { byteOrderMark } from '../changeset/lines.ts';
import type { Layers } from './layers.ts';
import { pathProblem } from './paths.ts';
import type { Entry } from './record.ts';
import { bufferState, isSaved, readState, stampOf, statusOf } from './snapshot.ts';
import type { UpperEdit } from './upper-edit.ts';

export class UnsavedTexts {
  readonly #view: Layers;
  readonly #entries: Map<string, Entry>;
  /** Paths of buffers whose text the disk has too, with the stamp it was compared at. */
  readonly #saved = new Map<string, { text: string; lower?: string }>();

  /** Of text files that were compared and are other texts: enough to know so again without reading them. */
  readonly #others = new Map<string, { lower: string; bytes: number; outline: FileState }>();

  constructor(layers: Layers, entries: Map<string, Entry>) {
    this.#view = layers;
    this.#entries = entries;
  }

  /** Costs one look at each file of a buffer, and no more where nothing has changed. */
  async refresh(edit: UpperEdit, buffers: ReadonlyMap<string, string>): Promise<void> {
    await this.#dropStale(edit, buffers);
    for (const [path, text] of buffers) if (pathProblem(path) === undefined) await this.#inject(edit, path, text);
  }

  /** The upper layer is another: nothing of what was found out holds. */
  forget(): void {
    this.#saved.clear();
    this.#others.clear();
  }

  /** Takes out of the copy what was the user's text then and is not now. */
  async #dropStale(edit: UpperEdit, buffers: ReadonlyMap<string, string>): Promise<void> {
    for (const [path, entry] of this.#entries) {
      const isStale =
        (entry.kind === 'buffer' && !buffers.has(path)) ||
        (entry.kind === 'same' && (entry.lower === undefined || entry.lower !== (await this.#view.lowerStamp(path))));
      if (!isStale) continue;
      await edit.uncover(path);
      this.#entries.delete(path);
    }
    for (const known of [this.#saved, this.#others])
      for (const path of known.keys()) if (!buffers.has(path)) known.delete(path);
  }

  async #inject(edit: UpperEdit, path: string, text: string): Promise<void> {
    const entry = this.#entries.get(path);
    if (entry?.kind === 'change') return;
    const lower = await this.#view.lowerStamp(path);
    const saved = this.#saved.get(path);
    if (saved && saved.text === text && saved.lower === lower) return;
    if (entry?.kind === 'buffer' && entry.text === text && entry.lower === lower) return;
    this.#saved.delete(path);
    const { disk, isUnsaved } = await this.#compared(path, text, lower);
    if (!isUnsaved) {
      this.#saved.set(path, { text, lower });
      if (!entry) return;
      await edit.uncover(path);
      this.#entries.delete(path);
      return;
    }
    const state = bufferState(text, disk);
    if (state.kind !== 'text' || !(await this.#view.isFree(path))) return;
    await edit.put(path, state);
    const status = await statusOf(this.#view.upper(path));
    if (status) this.#entries.set(path, { kind: 'buffer', text, mode: state.mode, stamp: stampOf(status), lower });
  }

  /** `disk`: of a text only its beginning and its mode, where it was read before. */
  async #compared(
    path: string,
    text: string,
    lower: string | undefined,
  ): Promise<{ disk: FileState; isUnsaved: boolean }> {
    const other = this.#others.get(path);
    const isAsThen = other !== undefined && other.lower === lower;
    if (isAsThen && !mayBe(text, other.bytes)) return { disk: other.outline, isUnsaved: true };
    this.#others.delete(path);
    const disk = await readState(this.#view.paths.root, path);
    const isText = disk.kind === 'text' || disk.kind === 'binary' || disk.kind === 'absent';
    const isUnsaved = isText && !isSaved(text, disk);
    if (isUnsaved && disk.kind === 'text' && lower !== undefined) {
      const outline = { ...disk, text: disk.text.startsWith(byteOrderMark) ? byteOrderMark : '' };
      this.#others.set(path, { lower, bytes: Buffer.byteLength(disk.text), outline });
    }
    return { disk, isUnsaved };
  }
}

/** Whether a file of so many bytes may hold the text, with a byte order mark or without. */
function mayBe(text: string, bytes: number): boolean {
  const own = Buffer.byteLength(text);
  return own === bytes || own + Buffer.byteLength(byteOrderMark) === bytes;
}
