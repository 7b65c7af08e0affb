/** A git folder outside the workspace as its copy shows it: an overlay of its own, without the user's credentials. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inBatches } from './batches.ts';
import { conceal } from './conceal.ts';
import type { Counted } from './counted.ts';
import { forkLayers } from './fork-layers.ts';
import { gitFilesIn, type Mask, maskOf } from './git-secrets.ts';
import { type LayerPaths, Layers } from './layers.ts';
import type { Owner } from './owner.ts';
import { readPending, writePending } from './pending.ts';
import { CopyRecord, type Entry } from './record.ts';
import { type Materialized, type MaterializeOptions, Tree } from './tree.ts';
import { UpperEdit } from './upper-edit.ts';

/** The folder is looked through again where the last look is older. */
const freshMs = 5_000;
/** Looked at before each command. */
const watchedConfigsMax = 64;

/** Nothing in it is ignored. */
const everything: Counted = { file: async () => true, folder: async () => true };

export class GitBeside {
  readonly #layers: Layers;
  readonly #record: CopyRecord;
  /** What we have put there, or hidden; it is on disk, and the next process knows it. */
  readonly #entries: Map<string, Entry>;
  readonly #aside: string;
  readonly #tree: Tree;
  /** By path. */
  #masks = new Map<string, Mask>();
  #look: Promise<void> | undefined;
  #lookedAtMs = 0;

  private constructor(layers: Layers, record: CopyRecord, entries: Map<string, Entry>, aside: string) {
    this.#layers = layers;
    this.#record = record;
    this.#entries = entries;
    this.#aside = aside;
    this.#tree = new Tree(layers, dirname(layers.paths.upper), aside);
  }

  get root(): string {
    return this.#layers.paths.root;
  }

  /** `owner`: whose the workspace is, where that is not us. */
  static async open(paths: LayerPaths, owner: Owner | undefined): Promise<GitBeside> {
    const dir = dirname(paths.upper);
    const record = new CopyRecord(dir);
    const { entries } = await record.read();
    const aside = join(dir, 'aside');
    await mkdir(aside, { recursive: true, mode: 0o700 });
    return new GitBeside(new Layers(paths, owner), record, entries, aside);
  }

  /** At the start of a turn: looks for credentials, in the background. */
  begin(): void {
    this.#lookAgain().catch(() => {});
  }

  /** Before a command, of which none runs: what the user has there by now is masked. What a command made of it stays. */
  async conceal(): Promise<void> {
    await this.#looked();
    await readPending(this.#layers);
    const edit = new UpperEdit(this.#layers, this.#aside);
    const masks = this.#masks;
    const hidden = new Set([...masks].filter(([, { shown }]) => shown === 'nothing').map(([path]) => path));
    const place = { layers: this.#layers, entries: this.#entries, edit, aside: this.#aside };
    await conceal(place, { hidden, masks, isTruncated: false });
    await writePending(this.#layers);
    await edit.commit();
    await this.#record.write(this.#entries, this.#layers.opaque);
  }

  /** As a whole tree; where it ends is never looked at by `Copy.scan`. `problems` are sentences, here and below. */
  async materialize(options: MaterializeOptions): Promise<Materialized & { root: string }> {
    await readPending(this.#layers);
    const tree = await this.#tree.materialize(everything, { ...options, linksAs: 'copies' });
    return { ...tree, root: this.root, problems: tree.problems.map(this.#named) };
  }

  /** After a command that had the tree, of which nothing is alive. */
  async absorb(): Promise<string[]> {
    await readPending(this.#layers);
    const { problems } = await this.#tree.absorb(everything);
    return problems.map(this.#named);
  }

  /** Into the layers of another copy, made and empty. What can't be taken along, as sentences. */
  async forkInto(to: LayerPaths): Promise<string[]> {
    await mkdir(join(dirname(to.upper), 'aside'), { recursive: true, mode: 0o700 });
    return (await forkLayers(this.#layers, this.#entries, to)).map(this.#named);
  }

  readonly #named = (problem: string): string => `In the copy of ${this.root}: ${problem}`;

  async #looked(): Promise<void> {
    await this.#look?.catch(() => {});
    if (Date.now() - this.#lookedAtMs > freshMs) return this.#lookAgain();
    const configs = [...this.#masks].filter(([, { kind }]) => kind === 'config').slice(0, watchedConfigsMax);
    await inBatches(configs, async ([path, known]) => {
      const mask = await maskOf(this.#layers.lower(path), known.kind, known);
      if (mask) this.#masks.set(path, mask);
    });
  }

  /** One at a time. */
  #lookAgain(): Promise<void> {
    const before = this.#look?.catch(() => {}) ?? Promise.resolve();
    this.#look = before.then(async () => {
      const masks = new Map<string, Mask>();
      const files = await gitFilesIn(this.#layers.paths.root);
      await inBatches([...files], async ([path, kind]) => {
        const mask = await maskOf(this.#layers.lower(path), kind, this.#masks.get(path));
        if (mask) masks.set(path, mask);
      });
      this.#masks = masks;
      this.#lookedAtMs = Date.now();
    });
    return this.#look;
  }
}
