/** The workspace folders of a connection, and the root that a task works in. */
import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { foldersOf, type Workspace, workspaceOf } from '../protocol/folders.ts';
import { Refusal } from '../task/refusal.ts';
import { fitBeside, unfitWorkspace } from '../task/root.ts';
import { pathOf, uriOf, within } from './uri.ts';

/** `path` as the editor says it, `real` with symlinks resolved. `isUsable`: a task may work in it, as far as is known. */
type Folder = { path: string; real: string; isUsable: boolean };

export class Folders {
  #folders: Folder[] = [];
  /** Roots of tasks of this connection that are no workspace folder. */
  readonly #others = new Set<string>();
  #pending: Promise<void> = Promise.resolve();
  readonly #home: string;
  readonly #stateFolder: string;
  readonly #found: (path: string, real: string) => void;

  constructor(options: { homeFolder: string; stateFolder: string; found(path: string, real: string): void }) {
    this.#home = options.homeFolder;
    this.#stateFolder = options.stateFolder;
    this.#found = options.found;
  }

  change(added: readonly string[], removed: readonly string[]): void {
    const gone = removed.map(pathOf);
    this.#folders = this.#folders.filter(({ path }) => !gone.includes(path));
    for (const uri of added) {
      const path = pathOf(uri);
      if (path === undefined || this.#folders.some((folder) => folder.path === path)) continue;
      const folder: Folder = { path, real: path, isUsable: false };
      this.#folders.push(folder);
      const earlier = this.#pending;
      this.#pending = Promise.all([earlier, this.#lookedAt(path)]).then(([, { real, isUsable }]) => {
        folder.real = real;
        folder.isUsable = isUsable;
        this.#found(path, real);
      });
    }
  }

  /** Resolves when the real path of every folder is known. */
  settled(): Promise<void> {
    return this.#pending;
  }

  /** Real paths of all folders that a task may work in, and of those that one of this connection worked in. */
  roots(): string[] {
    const usable = this.#folders.filter(({ isUsable }) => isUsable).map(({ real }) => real);
    return [...new Set([...usable, ...this.#others])];
  }

  /** Those of a task that is delegated from none in particular; where there can be none, what is known to be of use. */
  async delegating(): Promise<readonly string[]> {
    const found = await this.workspaceFor({}).catch(() => undefined);
    return found ? foldersOf(found.workspace) : this.roots().slice(0, 1);
  }

  concerns(workspace: Workspace): boolean {
    return foldersOf(workspace).some((folder) => this.#others.has(folder) || this.#isOpen(folder));
  }

  remember(workspace: Workspace): void {
    for (const folder of foldersOf(workspace)) if (!this.#isOpen(folder)) this.#others.add(folder);
  }

  /** A URI the editor knows the file by: under the folder as the editor calls it, symlink or not. */
  uriFor(path: string): string {
    for (const folder of this.#folders) {
      const inside = within(folder.real, path);
      if (inside !== undefined) return uriOf(join(folder.path, inside));
    }
    return uriOf(path);
  }

  /**
   * What a task works in: the folder that is named as `root`, and nothing else; delegated `from` one of the editor's
   * folders, that one and the others that the editor has open. `leftOut`: sentences for the user. Throws `noWorkspace`.
   */
  async workspaceFor(wanted: {
    root?: string;
    from?: string;
    document?: string;
  }): Promise<{ workspace: Workspace; leftOut: string[] }> {
    const { root, from, document } = wanted;
    const home = await this.rootFor({ root: root ?? from, document });
    if (root !== undefined || !this.#isOpen(home)) return { workspace: workspaceOf(home), leftOut: [] };
    const others = this.#folders.map(({ real }) => real).filter((real) => real !== home);
    return fitBeside(home, others, { stateDir: this.#stateFolder, home: this.#home });
  }

  /**
   * The real path of the folder that a task is delegated from: the one named, else the one that holds the document, else the first.
   * A document outside all of them belongs to the repository around it. Throws `noWorkspace`.
   */
  async rootFor(wanted: { root?: string; document?: string }): Promise<string> {
    await this.settled();
    if (wanted.root !== undefined) return this.#named(wanted.root);
    const document = wanted.document;
    if (document !== undefined) {
      const holding = this.#folders
        .filter(({ real }) => within(real, document) !== undefined)
        .toSorted((a, b) => b.real.length - a.real.length)[0];
      if (holding) return this.#usable(holding.real);
      const repository = await this.#repositoryAround(document);
      if (repository !== undefined) return repository;
      if (this.#folders.length > 0) {
        throw new Refusal('noWorkspace', `${document} lies outside of the workspace folders; open its folder first.`);
      }
    }
    const [first] = this.#folders;
    if (first) return this.#usable(first.real);
    throw new Refusal(
      'noWorkspace',
      'The editor has opened no folder. Open a file of a project (one with a .git folder), or the project folder itself.',
    );
  }

  #isOpen(real: string): boolean {
    return this.#folders.some((folder) => folder.real === real);
  }

  async #named(uri: string): Promise<string> {
    const path = pathOf(uri) ?? uri;
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined || !(await stat(real)).isDirectory()) {
      throw new Refusal('noWorkspace', `There is no folder ${path}.`);
    }
    return this.#usable(real);
  }

  async #lookedAt(path: string): Promise<Omit<Folder, 'path'>> {
    const real = await realpath(path).catch(() => path);
    return { real, isUsable: (await this.#refused(real)) === undefined };
  }

  async #usable(real: string): Promise<string> {
    const why = await this.#refused(real);
    if (why) throw new Refusal('noWorkspace', why);
    return real;
  }

  #refused(real: string): Promise<string | undefined> {
    return unfitWorkspace(real, { stateDir: this.#stateFolder, home: this.#home });
  }

  async #repositoryAround(document: string): Promise<string | undefined> {
    for (let folder = dirname(document); dirname(folder) !== folder; folder = dirname(folder)) {
      const found = await stat(join(folder, '.git')).catch(() => undefined);
      if (found) return (await this.#refused(folder)) === undefined ? folder : undefined;
    }
    return undefined;
  }
}
