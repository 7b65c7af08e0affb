/** Text for one message line: Helix removes line breaks, Neovim asks for a key press after a second line. */

/**
 * Control characters and runs of space become one space, what would hide text or turn it round is seen; longer than
 * `charactersMax` ends in `…`.
 */
export function oneLine(text: string, charactersMax = 300): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a message line.
  const spaced = text.replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  const line = spaced.replace(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]/g, '\ufffd');
  const characters = [...line];
  return characters.length <= charactersMax
    ? line
    : `${characters
        .slice(0, charactersMax - 1)
        .join('')
        .trimEnd()}…`;
}

/** The first line that says something. */
export const firstLine = (text: string): string =>
  text
    .split(/\r?\n/)
    .find((line) => line.trim() !== '')
    ?.trim() ?? '';

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
