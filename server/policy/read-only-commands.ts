/** Which commands are known to change nothing: parsed word by word, and unknown at the first doubt. */

/** Whatever their arguments: they read, and start nothing. */
const harmless = new Set(
  'cat cd cut echo expr false grep egrep fgrep head id ls nl paste pwd rev seq stat tail tr true uname wc which whoami basename dirname realpath readlink cmp diff du df'.split(
    ' ',
  ),
);
const gitReading = new Set('status log diff show blame grep ls-files rev-parse describe shortlog cat-file'.split(' '));

/**
 * True only for plain `a | b && c; d` of programs that read, with options that can't make them write or start others.
 * `git`: what git is configured to in the folder of the command starts no program; that of another folder may.
 */
export function isKnownReadOnly(command: string, options: { git: boolean }): boolean {
  const commands = splitCommands(command);
  if (commands === undefined || commands.length === 0) return false;
  const git = options.git && !commands.some(([program]) => program === 'cd');
  return commands.every((words) => readsOnly(words, git));
}

function readsOnly(words: readonly string[], git: boolean): boolean {
  const [program = '', ...args] = words;
  if (harmless.has(program)) return true;
  switch (program) {
    case 'base64':
      return !has(args, 'o', ['output']);
    case 'date':
      // What is no format sets the clock.
      return !has(args, 's', ['set']) && args.every((arg) => /^[-+]/.test(arg));
    case 'file':
      return !has(args, 'CzZ', ['compile', 'uncompress', 'uncompress-noreport']);
    case 'find':
      return !args.some((arg) => /^-(exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls)$/.test(arg));
    case 'git':
      return git && gitReading.has(args[0] ?? '') && !has(args, 'O', gitOptions);
    case 'printf':
      // `-v` sets a variable, PATH or what its own subscript runs.
      return !/^-./.test(args[0] ?? '') || args[0] === '--';
    case 'rg':
      return !has(args, 'z', ['pre', 'hostname-bin', 'search-zip']);
    case 'sed':
      return (
        args.length >= 2 &&
        args[0] === '-n' &&
        /^\d+(,(\d+|\$))?p$/.test(args[1] ?? '') &&
        !args.slice(2).some((arg) => arg.startsWith('-'))
      );
    case 'sort':
      return !has(args, 'oTS', ['output', 'compress-program', 'temporary-directory', 'buffer-size']);
    case 'test':
      // `-v` runs what stands in a subscript.
      return !args.some((arg) => /^-[vR]$/.test(arg));
    case 'uniq':
      // A second file is written.
      return !args.includes('--') && args.filter((arg) => arg === '-' || !arg.startsWith('-')).length <= 1;
    default:
      return false;
  }
}

const gitOptions = ['output', 'ext-diff', 'textconv', 'filters', 'open-files-in-pager', 'paginate', 'exec-path'];

/**
 * Whether one of these options may be among the arguments: short ones anywhere in a bundle (`-ro out`), long ones also
 * shortened (`--outp=x`), for that is how getopt reads them. What only looks like one counts too.
 */
function has(args: readonly string[], short: string, long: readonly string[]): boolean {
  return args.some((arg) => {
    if (!arg.startsWith('--')) return arg.startsWith('-') && [...short].some((letter) => arg.includes(letter, 1));
    const name = arg.slice(2).split('=', 1)[0] ?? '';
    return name !== '' && long.some((option) => option.startsWith(name));
  });
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
