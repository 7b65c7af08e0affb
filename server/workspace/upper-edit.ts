/** Writes of ours into the upper layer, as a command's would be, without a mount; all of them or none. */
import { chmod, mkdir, rm, rmdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileState } from '../changeset/file-state.ts';
import { writeAtomically } from './atomic.ts';
import { isWhiteout, type Layers } from './layers.ts';
import { move } from './move.ts';
import { give } from './owner.ts';
import { parentsOf } from './paths.ts';
import { writePending } from './pending.ts';
import { removeTree } from './remove-tree.ts';
import { statusOf } from './snapshot.ts';

export class UpperEdit {
  readonly #layers: Layers;
  /** A folder on the file system of `upper`, for what is replaced. */
  readonly #aside: string;
  readonly #pendingBefore: ReadonlySet<string>;
  readonly #undo: (() => Promise<void>)[] = [];
  readonly #replacesParents: boolean;
  #replaced = 0;

  /** `replacesParents`: what stands where a folder is needed gives way, instead of the write being refused. */
  constructor(layers: Layers, aside: string, { replacesParents = false } = {}) {
    this.#layers = layers;
    this.#replacesParents = replacesParents;
    this.#aside = aside;
    this.#pendingBefore = new Set(layers.pending);
  }

  /** Text, a symbolic link or nothing; throws for anything else, and where a parent is no folder. */
  async put(path: string, state: FileState): Promise<void> {
    if (state.kind === 'absent') return this.remove(path);
    if (state.kind !== 'text' && state.kind !== 'symlink') throw new Error(`${path}: only text can be written`);
    await this.place(path, async (file) => {
      if (state.kind === 'symlink') await symlink(state.target, file);
      else await writeAtomically(file, state.text, { mode: state.mode & 0o777, beside: this.#aside });
      await give(file, this.#layers.owner);
    });
  }

  /** A file or a link that `make` makes at an absolute path where nothing is. */
  async place(path: string, make: (file: string) => Promise<void>): Promise<void> {
    for (const parent of parentsOf(path)) await this.#makeFolder(parent);
    this.#layers.pending.delete(path);
    const file = this.#layers.upper(path);
    await this.#setAside(path);
    this.#undo.push(() => rm(file, { force: true }));
    await make(file);
  }

  async folder(path: string, mode: number): Promise<void> {
    for (const each of [...parentsOf(path), path]) await this.#makeFolder(each);
    await chmod(this.#layers.upper(path), mode);
  }

  async remove(path: string): Promise<void> {
    await this.#setAside(path);
    if (!(await this.#layers.showsLower(path))) return;
    // A whiteout is made in the upper folder, so that has to be there.
    for (const parent of parentsOf(path)) await this.#makeFolder(parent);
    this.#layers.pending.add(path);
  }

  /** Lets the user's file show through again. */
  async uncover(path: string): Promise<void> {
    this.#layers.pending.delete(path);
    await this.#setAside(path);
  }

  async rollback(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
    this.#layers.pending.clear();
    for (const path of this.#pendingBefore) this.#layers.pending.add(path);
    await this.commit();
  }

  async commit(): Promise<void> {
    this.#undo.length = 0;
    if (this.#replaced > 0) await removeTree(this.#aside);
    await mkdir(this.#aside, { recursive: true, mode: 0o700 });
  }

  /** A folder as the lower one is; where that one was deleted, its other names stay deleted. */
  async #makeFolder(path: string): Promise<void> {
    const { pending, deletedAtMs, owner } = this.#layers;
    const folder = this.#layers.upper(path);
    const status = await statusOf(folder);
    if (status?.isDirectory()) return;
    if (status && !isWhiteout(status) && !this.#replacesParents) throw new Error(`${path} is no folder`);
    const wasDeleted = status !== undefined || pending.has(path);
    const lower = await statusOf(this.#layers.lower(path));
    const isLowerShown = await this.#layers.showsLower(path);
    const isBlocked = lower && isLowerShown && !lower.isDirectory() && !wasDeleted;
    if (isBlocked && !this.#replacesParents) throw new Error(`${path} is no folder`);
    await this.#setAside(path);
    await mkdir(folder);
    this.#undo.push(() => rmdir(folder));
    await chmod(folder, lower?.isDirectory() ? Number(lower.mode & 0o777n) | 0o700 : 0o755);
    await give(folder, owner);
    pending.delete(path);
    if (!wasDeleted || !lower?.isDirectory()) return;
    const since = status ? Number(status.birthtimeNs / 1_000_000n) : deletedAtMs.get(path);
    for (const child of await this.#layers.lowerChildren(path)) {
      pending.add(child);
      if (since !== undefined) deletedAtMs.set(child, since);
    }
  }

  async #setAside(path: string): Promise<void> {
    const file = this.#layers.upper(path);
    if (!(await statusOf(file))) return;
    const kept = join(this.#aside, String(this.#replaced++));
    await move(file, kept);
    this.#undo.push(() => move(kept, file));
  }
}

/** All of a change or, where it throws, nothing; the list of what is deleted is on disk afterwards. */
export async function transact(
  layers: Layers,
  aside: string,
  change: (edit: UpperEdit) => Promise<void>,
): Promise<void> {
  const edit = new UpperEdit(layers, aside);
  try {
    await change(edit);
    await writePending(layers);
  } catch (error) {
    await edit.rollback();
    await writePending(layers);
    throw error;
  }
  await edit.commit();
}
