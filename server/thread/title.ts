/** A thread's title, made from its first prompt: the first sentence as a person would say it; or given by a person; pure. */

const titleCharsMax = 60;
export const titleGivenCharsMax = 200;
const lineCharsMax = 2_000;

/** What stands before the words of a line: of a comment, a heading, a list, a quotation. */
const opening =
  /^(?:\s+|\/\/+|\/\*+|<!--|#+(?=\s)|--(?=\s)|[-*+>](?=\s)|>|;+(?=\s)|%+(?=\s)|\d{1,3}[.)](?=\s)|\[[ xX]\](?=\s))/;
const closing = /(?:\s+|\*\/|-->|#+)$/;

const controls = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** What a person calls a thread, on one line; it may be empty, or too long. */
export const titleGiven = (title: string): string => title.replace(controls, ' ').trim();

/** `markers`: what begins a task in a comment, and says nothing in a title. Never empty, where the prompt is not. */
export function titleOf(prompt: string, markers: readonly string[] = []): string {
  const lines = prompt.split(/\r?\n/).map((line) => line.slice(0, lineCharsMax));
  for (const line of lines) {
    if (/^\s*(```|~~~)/.test(line)) continue;
    const title = sentenceIn(plain(withoutOpening(line, markers)));
    if (/[\p{L}\p{N}]/u.test(title)) return shortened(title);
  }
  return shortened(prompt.replace(/\s+/g, ' ').trim());
}

function withoutOpening(line: string, markers: readonly string[]): string {
  let text = line;
  for (;;) {
    const lower = text.toLowerCase();
    const marker = markers.find((each) => each !== '' && lower.startsWith(each.toLowerCase()));
    const next = marker === undefined ? text.replace(opening, '') : text.slice(marker.length);
    if (next === text) return text;
    text = next;
  }
}

/** Without what markdown adds to the words. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^[\]]*)\]\([^()]*\)/g, '$1')
    .replace(/<(https?:[^<>\s]+)>/g, '$1')
    .replace(/(\*\*|__|~~)(?=\S)(.*?\S)\1/g, '$2')
    .replace(/(?<![\w*])([*_])(?=\S)([^*_]*\S)\1(?![\w*])/g, '$2')
    .replace(/`+([^`]*)`+/g, '$1')
    .replace(controls, ' ')
    .replace(/\s+/g, ' ')
    .replace(closing, '')
    .trim();
}

/** To the first end of a sentence: what goes on in lower case, as after "e.g.", is none. */
function sentenceIn(text: string): string {
  const end = /[.!?…]["'”’)]?(?=\s+[^\p{Ll}\s])|[。！？]/u.exec(text);
  const sentence = end ? text.slice(0, end.index + end[0].length) : text;
  return sentence.replace(/(?<!\.)[.:;,。]$/u, '').trim();
}

function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= titleCharsMax) return text;
  const cut = characters.slice(0, titleCharsMax - 1).join('');
  const space = cut.lastIndexOf(' ');
  // A word that is as long as a title is cut in itself.
  const whole = space > titleCharsMax / 2 ? cut.slice(0, space) : cut;
  return `${whole.replace(/[\s,;:.]+$/, '')}…`;
}
