/** What a task does with its private copy of the workspace, whether that is one folder or several. `Copy` says more. */
import type { FileState } from '../changeset/file-state.ts';
import type { CopyChange } from '../changeset/review-types.ts';
import type { LayerPaths } from './layers.ts';
import type { Settled } from './record.ts';
import type { Materialized, MaterializeOptions } from './tree.ts';

export type Write = { path: string; state: FileState };

export type ScanResult = {
  /** What could not be looked at, or not wholly, as sentences. */
  problems: string[];
};

/** `beside`: whole trees, at `path`, of the folders `root` outside the workspace; absolute. */
export type WholeCopy = Omit<Materialized, 'problems'> & {
  beside: (Omit<Materialized, 'problems'> & { root: string })[];
  /** Of the workspace's further folders. */
  others?: (WholeCopy & { root: string })[];
};

export interface ThreadCopy {
  /** What paths are relative to, absolute: the workspace folder, or the closest folder around several. */
  readonly root: string;
  /** Of the first folder, with those of the others: `layers.root` is that folder, and not what paths are relative to. */
  readonly layers: LayerPaths;
  prepare(buffers: ReadonlyMap<string, string>, allowed?: readonly string[]): Promise<void>;
  refresh(buffers: ReadonlyMap<string, string>): Promise<void>;
  /** `mergedAt`: where each folder's copy is mounted; `merged`: that of the first. */
  scan(options: { startedAtMs: number; merged?: string; mergedAt?: (root: string) => string }): Promise<ScanResult>;
  materialize(options?: MaterializeOptions): Promise<WholeCopy>;
  absorb(): Promise<ScanResult>;
  read(path: string): Promise<FileState>;
  readBytes(path: string): Promise<Buffer>;
  hides(path: string, text?: string): Promise<boolean>;
  write(writes: readonly Write[]): Promise<void>;
  seed(path: string, base: string, text: string): Promise<void>;
  changes(): CopyChange[];
  settle(next: Settled): Promise<void>;
  forkInto(dir: string): Promise<string[]>;
}
