/** Whether a repository's own configuration can make git start a program: a list of keys that can't, and no other. */

/** By section; names that git takes in the quotes of a section's header do not matter. */
const harmlessKeys: Readonly<Record<string, readonly string[]>> = {
  core: 'repositoryformatversion filemode bare logallrefupdates ignorecase precomposeunicode symlinks autocrlf eol'.split(
    ' ',
  ),
  remote: ['url', 'pushurl', 'fetch', 'prune', 'tagopt'],
  branch: ['remote', 'merge', 'rebase', 'description'],
  user: ['name', 'email'],
  init: ['defaultbranch'],
  pull: ['rebase', 'ff'],
  push: ['default', 'autosetupremote'],
  fetch: ['prune'],
  rebase: ['autostash', 'autosquash'],
  color: ['ui'],
  http: ['extraheader', 'postbuffer', 'sslverify'],
  lfs: ['access', 'repositoryformatversion'],
  advice: ['detachedhead'],
};

/** `text`: of `.git/config`. False at the first line that is not plainly one of these. */
export function startsNoProgram(text: string): boolean {
  let section: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (line.endsWith('\\')) return false;
    const rest = line.replace(/^[ \t]+|[ \t]+$/g, '');
    if (rest === '' || /^[#;]/.test(rest)) continue;
    const header = /^\[([A-Za-z]+)(?: "[^"\\]*")?\]$/.exec(rest);
    if (header) {
      section = header[1]?.toLowerCase();
      continue;
    }
    const key = /^([A-Za-z][A-Za-z0-9-]*)\s*(?:=|$)/.exec(rest)?.[1]?.toLowerCase();
    if (section === undefined || key === undefined || !Object.hasOwn(harmlessKeys, section)) return false;
    if (!harmlessKeys[section]?.includes(key)) return false;
  }
  return true;
}
