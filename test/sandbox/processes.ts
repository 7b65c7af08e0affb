/** Processes of this machine that have to do with something, as the kernel shows them. */
import { readdirSync, readFileSync } from 'node:fs';

const shownCharacters = 200;

/** Each as its number and command line: who has the word in its arguments, its environment or its mounts. */
export function processesAround(word: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const [commandLine = '', ...more] = ['cmdline', 'environ', 'mountinfo'].map((name) =>
        text(`/proc/${pid}/${name}`),
      );
      const isOne = [commandLine, ...more].some((read) => read.includes(word));
      return isOne ? [`${pid} ${commandLine.replaceAll('\0', ' ').slice(0, shownCharacters)}`] : [];
    });
}

/** What can't be read belongs to another user, or has ended. */
function text(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
