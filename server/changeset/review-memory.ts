/** What the reviews of one thread are made of, so that the next one makes anew only the files that have changed. */
import { MadeOf } from './made-of.ts';
import type { PairedChange, Renames } from './renames.ts';
import type { Decisions, ReviewFile } from './review-types.ts';
import type { Cost } from './too-large.ts';

type Answers = ReadonlyMap<string, ReturnType<Decisions['get']>>;

/** States are compared by identity: whoever looks at a file again must give the same value where nothing changed. */
export class ReviewMemory {
  readonly #renames = new MadeOf<Renames>();
  readonly #costs = new MadeOf<Cost | undefined>();
  readonly #files = new MadeOf<{ file: ReviewFile; answers: Answers }>();

  renames(changes: Renames['changes'], find: () => Renames): Renames {
    const parts = changes.flatMap(({ path, base, agent }) => [path, base, agent]);
    return this.#renames.recall('', parts, find);
  }

  cost({ path, base, agent, user }: PairedChange, count: () => Cost | undefined): Cost | undefined {
    return this.#costs.recall(path, [base, agent, user], count);
  }

  /** `more`: what the file is made of beyond its states. A decision that is asked for is a part as well. */
  file(
    { path, from, userPath, base, agent, user }: PairedChange,
    more: readonly unknown[],
    decisions: Decisions,
    make: (decisions: Decisions) => ReviewFile,
  ): ReviewFile {
    const parts = [from, userPath, base, agent, user, ...more];
    const makeNoting = () => {
      const answers = new Map<string, ReturnType<Decisions['get']>>();
      const file = make({
        get: (id) => {
          const answer = decisions.get(id);
          answers.set(id, answer);
          return answer;
        },
      });
      return { file, answers };
    };
    const holds = ({ answers }: { answers: Answers }): boolean =>
      [...answers].every(([id, answer]) => decisions.get(id) === answer);
    return this.#files.recall(path, parts, makeNoting, holds).file;
  }

  /** At the end of a review: what is no part of it is forgotten. */
  sweep(): void {
    this.#renames.sweep();
    this.#costs.sweep();
    this.#files.sweep();
  }
}
