/** Whole-line edits as the wire wants them. */
import type { TextEdit } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { splitLines } from '../changeset/lines.ts';
import type { LineEdit } from '../changeset/review-types.ts';

/**
 * Against `text`: ranges that begin and end at column 0, except at the end of a file without a final newline, where
 * they end with its last line and never beyond. `after` is the text with the edits applied.
 */
export function toTextEdits(text: string, edits: readonly LineEdit[]): { edits: TextEdit[]; after: string } {
  const starts = lineStarts(text);
  const offsetOf = (line: number): number => starts[line] ?? text.length;
  const document = TextDocument.create('', '', 0, text);
  let after = '';
  let done = 0;
  const made = edits.map(({ line, deleteCount, lines }): TextEdit => {
    const from = offsetOf(line);
    const to = offsetOf(line + deleteCount);
    const newText = lines.join('');
    after += text.slice(done, from) + newText;
    done = to;
    return { range: { start: document.positionAt(from), end: document.positionAt(to) }, newText };
  });
  return { edits: made, after: after + text.slice(done) };
}

/** Where each line begins, by the changeset's own idea of a line, which is LSP's. */
function lineStarts(text: string): number[] {
  const starts = [0];
  let at = 0;
  for (const line of splitLines(text)) {
    at += line.length;
    starts.push(at);
  }
  return starts;
}
