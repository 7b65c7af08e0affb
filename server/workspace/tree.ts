/**
 * The copy as a whole tree, for commands where no overlay can be mounted: what the layers hold together, kept between
 * commands and brought up to date before each. The layers stay the truth: what a command changes is taken into the
 * upper one, so that a thread can go from one way to the other between any two commands.
 */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Counted } from './counted.ts';
import type { Layers } from './layers.ts';
import { namesIn, pathIn } from './names.ts';
import { give } from './owner.ts';
import { isHidden, joined } from './paths.ts';
import { removeTree } from './remove-tree.ts';
import { statusOf } from './snapshot.ts';
import { absorbChanges } from './tree-absorb.ts';
import { buildTree, TreeDamaged } from './tree-build.ts';
import { treeChanges } from './tree-changes.ts';
import type { LinksAs } from './tree-links.ts';
import { emptyManifest, heldBy, readManifest, type TreeManifest, writeManifest } from './tree-manifest.ts';
import { planTree } from './tree-plan.ts';

export type MaterializeOptions = {
  /**
   * What stands for large ignored folders: an empty folder to mount the user's on, read-only (the default), or a link
   * to the user's. Through a link a command can write where nothing keeps it in: there, ask for `copies`.
   */
  linksAs?: LinksAs;
  /** By default the tree is seen at the workspace's own path. Else git must be led nowhere else than into the tree. */
  standsApart?: boolean;
  /** Nothing that is done in the tree is taken in: the next is made anew. */
  isThrownAway?: boolean;
  /** While something is copied, at most four times a second and not in the first quarter. Counts files and folders. */
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
};

/** `path`: absolute. `links`: relative to the workspace, the folders of the user's that are not copied. `held`: what no command wrote. */
export type Materialized = {
  path: string;
  links: string[];
  held: { bytes: number; entries: number };
  problems: string[];
};

/** As above; `pointer`: what `.git` at the top says in a tree that stands apart. */
export type TreeOptions = MaterializeOptions & { pointer?: string };

const progressEveryMs = 250;

/**
 * On disk beside the tree. `open`: commands may have changed it, and nobody has looked yet. `changing`: we were at work
 * on it, or a command that may change nothing had it, so it may be anything.
 */
type State = { kind: 'clean' } | { kind: 'open'; builtAtMs: number } | { kind: 'changing' };

export class Tree {
  readonly #layers: Layers;
  readonly #dir: string;
  readonly #aside: string;
  /** Absolute. */
  readonly path: string;
  #manifest: TreeManifest | undefined;

  /** `dir`: the copy's own folder; `aside`: in it, for what is half made. `path`: by default in the former. */
  constructor(layers: Layers, dir: string, aside: string, path = join(dir, 'tree')) {
    this.#layers = layers;
    this.#dir = dir;
    this.#aside = aside;
    this.path = path;
  }

  /** Rejects with a sentence where the workspace is too large, with the signal's reason, and where the disk is full. */
  async materialize(counts: Counted, options: TreeOptions): Promise<Materialized> {
    const { problems } = await this.absorb(counts);
    const updated = async (): Promise<Materialized> => {
      const tree = await this.#update(counts, options);
      return { ...tree, problems: [...problems, ...tree.problems] };
    };
    try {
      return await updated();
    } catch (error) {
      if (!(error instanceof TreeDamaged)) throw error;
    }
    await this.#startAgain();
    return updated();
  }

  /** After a command, of which nothing is alive; nothing where none had the tree. */
  async absorb(counts: Counted): Promise<{ problems: string[] }> {
    const state = await this.#state();
    if (state.kind !== 'open') return { problems: [] };
    const { builtAtMs } = state;
    const manifest = await this.#load();
    if (!manifest) {
      await this.#startAgain();
      return { problems: ['The whole copy had lost its list of files; what the last command changed in it is lost.'] };
    }
    const changes = await treeChanges({ layers: this.#layers, tree: this.path, items: manifest.items, counts });
    const options = { layers: this.#layers, tree: this.path, items: manifest.items, builtAtMs };
    const problems = await absorbChanges({ ...options, changes, aside: this.#aside });
    const { deleted, gone, folders, files, hasExtras } = changes;
    if (deleted.length + gone.length + folders.length + files.length > 0 || hasExtras !== manifest.hasExtras) {
      manifest.hasExtras = hasExtras;
      await this.#save(manifest);
    }
    await this.#mark({ kind: 'clean' });
    return { problems: [...changes.problems, ...problems] };
  }

  /** At the end of a turn: takes out what a command has left there and no layer can hold, but for what is ignored. */
  async sweep(counts: Counted): Promise<void> {
    const manifest = await this.#load();
    if (!manifest?.hasExtras) return;
    const folders = [''];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const { bytes, text } of await namesIn(join(this.path, folder)).catch(() => [])) {
        const path = joined(folder, text ?? bytes.toString());
        const known = text === undefined ? undefined : manifest.items.get(path);
        if (known?.kind === 'folder') folders.push(path);
        if (known || isHidden(path) || !(await counts.file(path))) continue;
        await removeTree(pathIn(join(this.path, folder), bytes));
      }
    }
  }

  async #update(counts: Counted, options: TreeOptions): Promise<Materialized> {
    const { linksAs = 'mountPoints', standsApart, isThrownAway, pointer, signal } = options;
    const tell = throttled(options.onProgress);
    const layers = this.#layers;
    const found = (await this.#state()).kind === 'clean' && (await statusOf(this.path))?.isDirectory();
    const manifest = (found ? await this.#load() : undefined) ?? (await this.#startAgain());
    const { items } = manifest;
    const startedAtMs = Date.now();
    const git = standsApart ? { layers, tree: this.path, pointer } : undefined;
    const plan = await planTree({ layers, counts, known: items, linksAs, git, signal });
    if (plan.steps.length > 0 || [...items.keys()].some((path) => !plan.paths.has(path))) {
      await this.#mark({ kind: 'changing' });
      try {
        const { path: tree } = this;
        await buildTree({ tree, items, plan, owner: layers.owner, signal, onPlaced: tell });
      } finally {
        // Also where it was broken off: what is done is not done again.
        await this.#save(manifest);
        await this.#mark({ kind: 'clean' });
      }
    }
    await this.#mark(isThrownAway ? { kind: 'changing' } : { kind: 'open', builtAtMs: startedAtMs });
    return { path: this.path, links: plan.links.sort(), held: heldBy(manifest), problems: plan.problems };
  }

  async #startAgain(): Promise<TreeManifest> {
    await removeTree(this.path);
    await rm(this.#file, { force: true });
    const { mode } = await stat(this.#layers.paths.root);
    await mkdir(this.path, { mode: (mode & 0o777) | 0o700 });
    await give(this.path, this.#layers.owner);
    await this.#mark({ kind: 'clean' });
    this.#manifest = emptyManifest();
    return this.#manifest;
  }

  async #state(): Promise<State> {
    const text = await readFile(this.#stateFile, 'utf8').catch(() => 'clean');
    if (text === 'clean') return { kind: 'clean' };
    const builtAtMs = Number(/^open (\d+)$/.exec(text)?.[1]);
    return builtAtMs > 0 ? { kind: 'open', builtAtMs } : { kind: 'changing' };
  }

  async #mark(state: State): Promise<void> {
    if (state.kind === 'clean') return rm(this.#stateFile, { force: true });
    const text = state.kind === 'open' ? `open ${state.builtAtMs}` : state.kind;
    await writeFile(this.#stateFile, text, { mode: 0o600 });
  }

  get #stateFile(): string {
    return join(this.#dir, 'tree.state');
  }

  get #file(): string {
    return join(this.#dir, 'tree.manifest');
  }

  async #load(): Promise<TreeManifest | undefined> {
    if (this.#manifest) return this.#manifest;
    this.#manifest = await readManifest(this.#file);
    for (const [path, ms] of Object.entries(this.#manifest?.deletedAtMs ?? {})) this.#layers.deletedAtMs.set(path, ms);
    return this.#manifest;
  }

  #save(manifest: TreeManifest): Promise<void> {
    manifest.deletedAtMs = Object.fromEntries(this.#layers.deletedAtMs);
    return writeManifest(this.#file, manifest);
  }
}

/** Leaves out what comes sooner than a quarter of a second after the last. */
function throttled(tell: MaterializeOptions['onProgress']): (done: number, total: number) => void {
  let toldAtMs = Date.now();
  return (done, total) => {
    const nowMs = Date.now();
    if (nowMs - toldAtMs < progressEveryMs) return;
    toldAtMs = nowMs;
    tell?.(done, total);
  };
}
