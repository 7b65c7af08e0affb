/** Which commands are known to change nothing: parsed word by word, and unknown at the first doubt. */

const harmless = new Set(
  'cat cd cut echo expr false grep egrep fgrep head id ls nl paste pwd rev seq stat tail tr true uname uniq wc which whoami basename dirname realpath readlink file cmp diff du df date printf test'.split(
    ' ',
  ),
);
const gitReading = new Set('status log diff show blame grep ls-files rev-parse describe shortlog cat-file'.split(' '));

/** True only for plain `a | b && c; d` of programs that read, with options that can't make them write or run others. */
export function isKnownReadOnly(command: string): boolean {
  const commands = splitCommands(command);
  return commands !== undefined && commands.length > 0 && commands.every(readsOnly);
}

function readsOnly(words: readonly string[]): boolean {
  const [program = '', ...args] = words;
  if (harmless.has(program)) return true;
  const has = (...options: string[]) =>
    args.some((arg) => options.some((option) => arg === option || arg.startsWith(`${option}=`)));
  switch (program) {
    case 'base64':
      return !has('-o', '--output') && !args.some((arg) => /^-o./.test(arg));
    case 'find':
      return !args.some((arg) => /^-(exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls)$/.test(arg));
    case 'rg':
      return !has('--pre', '--hostname-bin', '--search-zip', '-z');
    case 'sed':
      return (
        args.length >= 2 &&
        args[0] === '-n' &&
        /^\d+(,(\d+|\$))?p$/.test(args[1] ?? '') &&
        !args.slice(2).some((arg) => arg.startsWith('-'))
      );
    case 'sort':
      return !args.some((arg) => /^(-o|--output|--compress-program|-T|-S)/.test(arg));
    case 'git':
      return (
        gitReading.has(args[0] ?? '') &&
        !has('--output', '--ext-diff', '--textconv', '--open-files-in-pager', '-O', '--paginate')
      );
    default:
      return false;
  }
}

/**
 * The simple commands of a script as words, or undefined where it is anything else: a redirection, substitution,
 * glob, variable, assignment, group, background job, comment or escape.
 */
export function splitCommands(script: string): string[][] | undefined {
  const commands: string[][] = [[]];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  for (let at = 0; at < script.length; at += 1) {
    const char = script.charAt(at);
    if (char === "'" || char === '"') {
      const end = script.indexOf(char, at + 1);
      if (end < 0) return undefined;
      const quoted = script.slice(at + 1, end);
      if (char === '"' && /[$`\\!]/.test(quoted)) return undefined;
      word = (word ?? '') + quoted;
      at = end;
    } else if (char === ' ' || char === '\t') {
      endWord();
    } else if (char === ';' || char === '|' || char === '&' || char === '\n') {
      endWord();
      if (char === '&' && script.charAt(at + 1) !== '&') return undefined;
      if ((char === '&' || char === '|') && script.charAt(at + 1) === char) at += 1;
      else if (char === '|' && script.charAt(at + 1) === '&') return undefined;
      if (commands.at(-1)?.length === 0 && char !== '\n') return undefined;
      if (commands.at(-1)?.length !== 0) commands.push([]);
    } else if (/[<>()$`\\*?[\]{}~#!=]/.test(char) && !(char === '=' && word !== undefined && word.startsWith('-'))) {
      return undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  endWord();
  if (commands.at(-1)?.length === 0) commands.pop();
  return commands;
}
