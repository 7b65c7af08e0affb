/** A file in review while the user types in it: where its hunks stand now, until it is reviewed again. */
import { type LineChange, moveSpots, type Spot } from '../changeset/line-change.ts';
import type { ReviewFile, ReviewHunk } from '../changeset/review-types.ts';

type HunkSpot = Spot & { hunk: ReviewHunk };

export class MovingFile {
  readonly #reviewed: ReviewFile;
  /** The text that the places are of is the one that the editor shows. */
  #isAligned: boolean;
  /** Made with the first change. */
  #spots: HunkSpot[] | undefined;
  #now: { file: ReviewFile; touched: ReadonlySet<string> } | undefined;

  /** `shown`: what the editor showed when the file was reviewed; absent where it is not open. */
  constructor(reviewed: ReviewFile, shown: string | undefined) {
    this.#reviewed = reviewed;
    this.#isAligned = shown === undefined || this.isOf(shown);
  }

  /** As reviewed, its hunks at the lines at which they stand now. */
  get file(): ReviewFile {
    return this.#current().file;
  }

  /** Ids of hunks of which it is not known what became of them. */
  get touched(): ReadonlySet<string> {
    return this.#current().touched;
  }

  /** Whether it is the very review of that file, and still as it was made. */
  shows(file: ReviewFile): boolean {
    return file === this.#reviewed && this.#spots === undefined;
  }

  /** Whether this is the text that was reviewed. */
  isOf(text: string | undefined): boolean {
    const { user } = this.#reviewed;
    return user.kind === 'text' && user.text === text;
  }

  /** Costs a moment for each hunk, however long the file is. Without `changes`, any line may have changed. */
  move(changes: readonly LineChange[] | undefined): void {
    const spots = this.#spots ?? this.#reviewed.hunks.flatMap((hunk) => spotOf(this.#reviewed, hunk) ?? []);
    const isKnown = this.#isAligned && changes !== undefined;
    this.#spots = isKnown
      ? changes.reduce(moveSpots<HunkSpot>, spots)
      : spots.map((spot) => ({ ...spot, isTouched: true }));
    this.#now = undefined;
  }

  /** The editor shows the text that was reviewed, whatever was typed in between. */
  settle(): void {
    this.#spots = undefined;
    this.#now = undefined;
    this.#isAligned = true;
  }

  #current(): { file: ReviewFile; touched: ReadonlySet<string> } {
    this.#now ??= this.#spots ? moved(this.#reviewed, this.#spots) : { file: this.#reviewed, touched: new Set() };
    return this.#now;
  }
}

/** Nothing for what depends on no line of the text: a mode, a new name. */
function spotOf(file: ReviewFile, hunk: ReviewHunk): HunkSpot | undefined {
  const { base, agent, tooLarge } = file;
  const isByLine = base === 'unknown' || (base.kind === 'text' && agent.kind === 'text' && !tooLarge);
  if (!isByLine) return { hunk, line: 0, count: Number.POSITIVE_INFINITY, isTouched: false };
  if (hunk.oldLines.length + hunk.newLines.length === 0) return undefined;
  return { hunk, line: hunk.line, count: (hunk.userLines ?? hunk.oldLines).length, isTouched: false };
}

function moved(file: ReviewFile, spots: readonly HunkSpot[]): { file: ReviewFile; touched: ReadonlySet<string> } {
  const lines = new Map(spots.map(({ hunk, line }) => [hunk.id, line]));
  const hunks = file.hunks.map((hunk) => {
    const line = lines.get(hunk.id) ?? hunk.line;
    return line === hunk.line ? hunk : { ...hunk, line };
  });
  const touched = new Set(spots.filter(({ isTouched }) => isTouched).map(({ hunk }) => hunk.id));
  return { file: { ...file, hunks }, touched };
}
