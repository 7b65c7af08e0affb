/**
 * Buffers that an editor still shows although the server has written their files: until such a buffer has another text
 * (reloaded, or typed in), the file is the truth, and not the buffer.
 */
import { join } from 'node:path';
import type { FileState } from '../changeset/file-state.ts';
import type { OpenDocuments } from './ports.ts';

export class Superseded {
  /** By absolute path, the text that is no longer true. */
  readonly #texts = new Map<string, string>();

  /** The server has made this of a file; `shown`: the text of its buffer, if that was true until now. */
  wrote(root: string, path: string, state: FileState, shown: string | undefined): void {
    const file = join(root, path);
    if (shown !== undefined) this.#texts.set(file, shown);
    // What it shows has become true, or true again.
    if (state.kind === 'text' && this.#texts.get(file) === state.text) this.#texts.delete(file);
  }

  /** The documents without those. `others`: of the other connections, which may still show what was there. */
  live(documents: OpenDocuments, others: readonly OpenDocuments[] = []): OpenDocuments {
    const isShown = (root: string, path: string, text: string): boolean =>
      others.some((other) => other.under(root).get(path)?.text === text);
    return {
      under: (root) => {
        const open = new Map(documents.under(root));
        if (this.#texts.size === 0) return open;
        for (const [path, { text }] of open) {
          const stale = this.#texts.get(join(root, path));
          if (stale === text) open.delete(path);
          else if (stale !== undefined && !isShown(root, path, stale)) this.#texts.delete(join(root, path));
        }
        return open;
      },
    };
  }
}
