/** The copy as the agent sees it: the upper layer over the user's workspace, read as the kernel's overlay reads it. */
import type { BigIntStats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { absent, type FileState } from '../changeset/file-state.ts';
import type { Owner } from './owner.ts';
import { joined, parentOf, parentsOf } from './paths.ts';
import { bufferState, isReachable, isSaved, type Reading, readState, stampOf, stateAt, statusOf } from './snapshot.ts';

/** On the host, all absolute; what the sandbox mounts. */
export type LayerPaths = {
  readonly root: string;
  readonly upper: string;
  readonly work: string;
  /** A file: NUL-separated paths that become whiteouts in `upper` before the next mount. */
  readonly whiteouts: string;
  /** Of a git folder outside the workspace. What changes there stays in the copy and is part of no changeset. */
  readonly beside?: readonly LayerPaths[];
  /** Of the workspace's further folders, where it has several. */
  readonly others?: readonly LayerPaths[];
};

export type Located = { in: 'upper'; status: BigIntStats } | { in: 'lower' } | { in: 'nowhere' };

/** What hides a name of the lower layer: a character device 0:0. */
export const isWhiteout = (status: BigIntStats): boolean => status.isCharacterDevice() && status.rdev === 0n;

export class Layers {
  readonly paths: LayerPaths;
  /** Deleted by us; node can't make a device, so the sandbox does before it mounts. */
  readonly pending = new Set<string>();
  /** Folders of `upper` that hide the lower one wholly, with the inode seen then: only a mounted copy tells. */
  readonly opaque = new Map<string, string>();
  /** Of folders in `pending`, and what lay in them: Unix times at which they were as a command then deleted them. */
  readonly deletedAtMs = new Map<string, number>();
  /** Of everything in `upper`, where that is somebody else's workspace. */
  readonly owner?: Owner;

  constructor(paths: LayerPaths, owner?: Owner) {
    this.paths = paths;
    this.owner = owner;
  }

  upper(path: string): string {
    return join(this.paths.upper, path);
  }

  lower(path: string): string {
    return join(this.paths.root, path);
  }

  isOpaque(path: string, status: BigIntStats): boolean {
    return this.opaque.get(path) === String(status.ino);
  }

  async locate(path: string): Promise<Located> {
    let isLowerHidden = false;
    for (const part of [...parentsOf(path), path]) {
      if (this.pending.has(part)) return { in: 'nowhere' };
      const status = await statusOf(this.upper(part));
      if (!status) return { in: isLowerHidden ? 'nowhere' : 'lower' };
      if (isWhiteout(status)) return { in: 'nowhere' };
      if (part === path) return { in: 'upper', status };
      if (!status.isDirectory()) return { in: 'nowhere' };
      isLowerHidden ||= this.isOpaque(part, status);
    }
    return { in: 'nowhere' };
  }

  /** `buffers`: text that the user has and the disk has not. */
  async read(path: string, buffers?: ReadonlyMap<string, string>, reading?: Reading): Promise<FileState> {
    return this.readLocated(path, await this.locate(path), buffers, reading);
  }

  async readLocated(
    path: string,
    located: Located,
    buffers: ReadonlyMap<string, string> = new Map(),
    reading?: Reading,
  ): Promise<FileState> {
    if (located.in === 'nowhere') return absent;
    if (located.in === 'upper') return stateAt(this.upper(path), reading);
    const disk = await readState(this.paths.root, path, reading);
    const text = buffers.get(path);
    const isDisk = text === undefined || isSaved(text, disk) || disk.kind === 'symlink' || disk.kind === 'other';
    return isDisk ? disk : bufferState(text, disk);
  }

  /** Whether anything in the lower layer shines through at this path. */
  async showsLower(path: string): Promise<boolean> {
    if (!(await statusOf(this.lower(path)))) return false;
    const parent = parentOf(path);
    if (parent === '') return true;
    const located = await this.locate(parent);
    if (located.in !== 'upper') return located.in === 'lower';
    for (const part of [...parentsOf(parent), parent]) {
      const status = await statusOf(this.upper(part));
      if (status && this.isOpaque(part, status)) return false;
    }
    return true;
  }

  /** Whether the user has it and nothing is over it. Not behind a link or a file: there it is something else. */
  async showsFromLower(path: string): Promise<boolean> {
    const isReal = await isReachable(this.paths.root, path);
    return isReal && (await this.locate(path)).in === 'lower';
  }

  async isFolder(path: string): Promise<boolean> {
    const located = await this.locate(path);
    if (located.in === 'upper') return located.status.isDirectory();
    return located.in === 'lower' && ((await statusOf(this.lower(path)))?.isDirectory() ?? false);
  }

  /** Whether a file can be made here without making again a folder that was deleted or replaced. */
  async isFree(path: string): Promise<boolean> {
    for (const folder of parentsOf(path)) {
      if (await this.isFolder(folder)) continue;
      return !(await statusOf(this.lower(folder))) && !(await statusOf(this.upper(folder)));
    }
    return !(await this.isFolder(path));
  }

  async lowerStamp(path: string): Promise<string | undefined> {
    const status = await statusOf(this.lower(path));
    return status && stampOf(status);
  }

  lowerNames(folder: string): Promise<string[]> {
    return readdir(this.lower(folder)).catch(() => []);
  }

  /** Names below a folder of the lower layer. */
  async lowerChildren(folder: string): Promise<string[]> {
    return (await this.lowerNames(folder)).map((name) => joined(folder, name));
  }
}
