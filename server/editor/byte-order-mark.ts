/** A byte order mark is the editor's own business: nearly all leave it out of the text they show, and write it again. */
import { byteOrderMark, withoutMark } from '../changeset/lines.ts';
import type { LineEdit } from '../changeset/review-types.ts';

/** How an editor has the texts and edits of a file: without the mark that the file begins with, unless its document shows it. */
export function asShown(
  file: string,
  open: string | undefined,
): { text(text: string): string; edit(edit: LineEdit): LineEdit } {
  const isHidden = file.startsWith(byteOrderMark) && !open?.startsWith(byteOrderMark);
  if (!isHidden) return { text: (text) => text, edit: (edit) => edit };
  return {
    text: withoutMark,
    edit: (edit) => {
      const [first, ...rest] = edit.lines;
      return edit.line > 0 || first === undefined ? edit : { ...edit, lines: [withoutMark(first), ...rest] };
    },
  };
}
