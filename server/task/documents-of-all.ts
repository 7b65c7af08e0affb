/**
 * The open documents of every connection that is attached. Each connection has its own, and is told which others there
 * are; one that has ended is not among them.
 */
import type { OpenDocuments } from './ports.ts';
import type { Superseded } from './superseded.ts';

export class DocumentsOfAll {
  /** In the order in which they attached. */
  readonly #attached = new Set<OpenDocuments>();
  readonly #superseded: Superseded;

  constructor(superseded: Superseded) {
    this.#superseded = superseded;
  }

  /** Returns the function that detaches them. */
  attach(documents: OpenDocuments): () => void {
    this.#attached.add(documents);
    return () => this.#attached.delete(documents);
  }

  /** One connection's, without those that only show what a file was before the server wrote it, and with the others beside. */
  seenBy(own: OpenDocuments): OpenDocuments {
    const others = (): OpenDocuments[] => [...this.#attached].filter((documents) => documents !== own);
    return {
      under: this.#superseded.live(own, others()).under,
      others: () => others().map((documents) => this.#superseded.live(documents, [own, ...others()])),
    };
  }
}
