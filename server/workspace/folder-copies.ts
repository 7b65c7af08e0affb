/**
 * The copy of a workspace of several folders: one copy for each, and every path handed to the one whose folder holds it.
 * What lies around the folders is in no copy: it can't be read, written or shown.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileState } from '../changeset/file-state.ts';
import type { CopyChange } from '../changeset/review-types.ts';
import type { Workspace } from '../protocol/folders.ts';
import { within } from '../protocol/path-inside.ts';
import { Copy } from './copy.ts';
import type { LayerPaths } from './layers.ts';
import type { Settled } from './record.ts';
import type { ScanResult, ThreadCopy, WholeCopy, Write } from './thread-copy.ts';
import type { MaterializeOptions } from './tree.ts';

/** `at`: the folder as the workspace's root sees it. */
type Part = { copy: Copy; at: string };

/** Of one folder or of several. Throws where the copy's folder can't be made or read. */
export const openCopy = (dir: string, { root, folders }: Workspace): Promise<ThreadCopy> =>
  folders === undefined ? Copy.open({ dir, root }) : FolderCopies.open({ dir, root, folders });

export class FolderCopies implements ThreadCopy {
  readonly root: string;
  readonly layers: LayerPaths;
  readonly #first: Part;
  readonly #parts: readonly Part[];

  private constructor(root: string, first: Part, others: readonly Part[]) {
    this.root = root;
    this.#first = first;
    this.#parts = [first, ...others];
    this.layers = { ...first.copy.layers, others: others.map(({ copy }) => copy.layers) };
  }

  /** `root`: absolute, around `folders`, of which none lies in another. Throws where a copy can't be made or read. */
  static async open(options: { dir: string; root: string; folders: readonly string[] }): Promise<FolderCopies> {
    const { dir, root, folders } = options;
    const parts = await Promise.all(
      folders.map(async (folder): Promise<Part> => {
        const at = within(root, folder);
        if (!at) throw new Error(`${folder} lies in no folder around the workspace`);
        // Whole copies lie to each other as the folders do: `../web` leads from one into the other.
        const treePath = join(dir, 'trees', at);
        await mkdir(dirname(treePath), { recursive: true, mode: 0o700 });
        return { copy: await Copy.open({ dir: join(dir, nameOf(folder)), root: folder, treePath }), at };
      }),
    );
    const [first, ...others] = parts;
    if (!first) throw new Error('a workspace has at least one folder');
    return new FolderCopies(root, first, others);
  }

  async prepare(buffers: ReadonlyMap<string, string>, allowed: readonly string[] = []): Promise<void> {
    await this.#each(({ copy, at }) => copy.prepare(partOf(buffers, at), allowed));
  }

  async refresh(buffers: ReadonlyMap<string, string>): Promise<void> {
    await this.#each(({ copy, at }) => copy.refresh(partOf(buffers, at)));
  }

  async scan(options: { startedAtMs: number; mergedAt?: (root: string) => string }): Promise<ScanResult> {
    const { startedAtMs, mergedAt } = options;
    return this.#problems(({ copy }) => copy.scan({ startedAtMs, merged: mergedAt?.(copy.layers.root) }));
  }

  async materialize(options: MaterializeOptions = {}): Promise<WholeCopy> {
    const first = await this.#first.copy.materialize(options);
    const others: WholeCopy['others'] = [];
    // One after the other: what is told of the progress is of one folder.
    for (const { copy } of this.#parts.slice(1)) {
      others.push({ ...(await copy.materialize(options)), root: copy.layers.root });
    }
    return { ...first, others };
  }

  absorb(): Promise<ScanResult> {
    return this.#problems(({ copy }) => copy.absorb());
  }

  async read(path: string): Promise<FileState> {
    const { part, inside } = this.#holding(path);
    return part ? part.copy.read(inside) : { kind: 'absent' };
  }

  async readBytes(path: string): Promise<Buffer> {
    const { part, inside } = this.#holding(path);
    if (!part) throw new Error(`${path} is not in the copy`);
    return part.copy.readBytes(inside);
  }

  async hides(path: string, text?: string): Promise<boolean> {
    const { part, inside } = this.#holding(path);
    return part === undefined || part.copy.hides(inside, text);
  }

  /** Each copy's writes are part of those of the one before it: where one fails, all are taken back. */
  async write(writes: readonly Write[]): Promise<void> {
    const byPart = new Map<Part, Write[]>();
    for (const { path, state } of writes) {
      const { part, inside } = this.#holding(path);
      if (!part) throw new Error(this.#refusal(path));
      byPart.set(part, [...(byPart.get(part) ?? []), { path: inside, state }]);
    }
    let all = async () => {};
    for (const [{ copy, at }, own] of byPart) {
      const rest = all;
      all = () => named(at, () => copy.write(own, rest));
    }
    await all();
  }

  async seed(path: string, base: string, text: string): Promise<void> {
    const { part, inside } = this.#holding(path);
    if (!part) throw new Error(this.#refusal(path));
    await part.copy.seed(inside, base, text);
  }

  changes(): CopyChange[] {
    return this.#parts
      .flatMap(({ copy, at }) => copy.changes().map((change) => ({ ...change, path: `${at}/${change.path}` })))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async settle(next: Settled): Promise<void> {
    await this.#each(({ copy, at }) => copy.settle(partOf(next, at)));
  }

  async forkInto(dir: string): Promise<string[]> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const made = this.#each(async ({ copy, at }) => ({
      at,
      problems: await copy.forkInto(join(dir, nameOf(copy.root))),
    }));
    return (await made).flatMap(({ at, problems }) => problems.map((problem) => `In ${at}: ${problem}`));
  }

  async #problems(run: (part: Part) => Promise<ScanResult>): Promise<ScanResult> {
    const results = await this.#each(async (part) => ({ at: part.at, ...(await run(part)) }));
    return { problems: results.flatMap(({ at, problems }) => problems.map((problem) => `In ${at}: ${problem}`)) };
  }

  /** All have come to their end before the first failure is told. */
  async #each<T>(run: (part: Part) => Promise<T>): Promise<T[]> {
    const settled = await Promise.allSettled(this.#parts.map(run));
    return settled.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  }

  #holding(path: string): { part?: Part; inside: string } {
    const leaves = path.split('/').includes('..');
    const part = leaves ? undefined : this.#parts.find(({ at }) => path.startsWith(`${at}/`));
    return { part, inside: part ? path.slice(part.at.length + 1) : '' };
  }

  #refusal(path: string): string {
    const names = this.#parts.map(({ at }) => at).join(', ');
    return `${path} lies in none of the workspace's folders, which are ${names}; begin the path with one of them`;
  }
}

/** Of values by path, those that lie in a folder, by the path in it. */
function partOf<T>(all: ReadonlyMap<string, T>, at: string): Map<string, T> {
  const inside = new Map<string, T>();
  for (const [path, value] of all) if (path.startsWith(`${at}/`)) inside.set(path.slice(at.length + 1), value);
  return inside;
}

/** A sentence of one copy, whose paths are those in its folder. */
class InFolder extends Error {}

async function named(at: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof InFolder || !(error instanceof Error)) throw error;
    throw new InFolder(`in ${at}: ${error.message}`, { cause: error });
  }
}

/** The folder alone counts, not its place in a list. */
const nameOf = (folder: string): string => createHash('sha256').update(folder).digest('hex').slice(0, 16);
