/** What a list of threads is searched by: the words of their titles and prompts; pure. */
import type { ThreadState } from './state.ts';

/** Of one thread. What was asked first says what it is about. */
const wordsCharsMax = 4_000;
const promptCharsMax = 20_000;

/** Of all prompts, in lower case, each once. */
export function wordsOf({ turns }: Pick<ThreadState, 'turns'>): string {
  const words = new Set<string>();
  let chars = 0;
  for (const { prompt } of turns) {
    for (const word of prompt.slice(0, promptCharsMax).toLowerCase().split(/\s+/)) {
      if (word === '' || words.has(word)) continue;
      chars += word.length + 1;
      if (chars > wordsCharsMax) return [...words].join(' ');
      words.add(word);
    }
  }
  return [...words].join(' ');
}

/** Whether every word of the query begins a word of the title or of a prompt; in scripts without blanks, is anywhere in it. */
export function isFound(query: string, { title, words }: { title: string; words: string }): boolean {
  const text = `${title.toLowerCase()}\n${words}`;
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => begins(text, word));
}

function begins(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/^[a-z0-9]/.test(word) || at === 0 || !/[a-z0-9]/.test(text.charAt(at - 1))) return true;
  }
  return false;
}
