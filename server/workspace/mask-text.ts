/** Takes credentials out of a text: those of URLs, of headers, and tokens of a known form; pure. Doing it twice changes nothing. */

/** Stands where a credential stood. */
export const mask = '***';

/** A user's name alone is no secret where it is only that: `ssh://git@host`. */
const namesOnly = /^(git\+|svn\+)?(ssh|file|git)$/i;

const url = /\b([a-z][a-z0-9+.-]{0,20}):\/\/([^\s"'<>]*)/gi;
/** `user:password@host` without a scheme, as proxies are written. */
const bareUserInfo = /(?<![^\s"'=[(])[^\s"'/@:[(\]=]{1,256}:[^\s"'/@]{1,256}@(?=[\w[])/g;
const secretParameter =
  /([?&;](?:[\w.-]{0,40}(?:token|secret|passw(?:or)?d|api_?key|signature)|sig|key|auth|code)=)[^&;#\s"']+/gi;
const assignment =
  /((?<![\w-])[\w-]{0,40}(?:token|secret|passw(?:or)?d|api[_-]?key)[\w-]{0,40}=|--[\w-]{0,40}(?:token|secret|passw(?:or)?d|api[_-]?key) +|\bsshpass +-p *)[^\s"';&|=]+/gi;
const header =
  /\b((?:proxy-)?authorization|cookie|[\w-]{0,40}(?:token|secret|api-?key|password)[\w-]{0,40})(["']?\s{0,8}:\s{0,8})(?!\/\/)[^\r\n"']*[^\s"']/gi;
const scheme = /\b(basic|bearer)(\s+)[\w.~+/=-]{8,}/gi;
/** Of a form of its own: GitHub, GitLab, Slack, AWS, OpenAI and their like, Azure DevOps, npm, PyPI, Google, Hugging Face. */
const token =
  /\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|gl[a-z]{2,5}-[\w-]{16,}|xox[a-z]-[\w-]{10,}|AKIA[A-Z0-9]{12,}|sk-[\w-]{16,}|npm_\w{16,}|pypi-[\w-]{16,}|AIza[\w-]{20,}|hf_\w{16,}|ATBB\w{16,})/g;

/** Only for URLs and tokens; nothing of a header's form. Keeps every line end. */
export const maskUrls = (text: string): string =>
  text
    .replace(url, (_, name: string, rest: string) => `${name}://${maskAuthority(name, rest)}`)
    .replace(bareUserInfo, `${mask}@`)
    .replace(secretParameter, `$1${mask}`)
    .replace(token, mask);

/** Of one line or value. */
export const maskCredentials = (text: string): string =>
  maskUrls(text).replace(header, `$1$2${mask}`).replace(scheme, `$1$2${mask}`).replace(assignment, `$1${mask}`);

/** Where the whole text is a URL, its password may hold anything. */
export const maskWholeUrl = (text: string): string =>
  text.replace(
    /^([a-z][a-z0-9+.-]{0,20}):\/\/(.*)$/is,
    (_, name: string, rest: string) => `${name}://${maskAuthority(name, rest)}`,
  );

/** What follows `://`. A password may hold what should have been escaped in it: then the last `@` is the one. */
function maskAuthority(name: string, rest: string): string {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const isPort = /^(\[[^\]]*\]|[^:]*)(:\d*)?$/.test(authority);
  const at = authority.includes('@') || isPort ? authority.lastIndexOf('@') : rest.lastIndexOf('@');
  if (at < 0) return rest;
  const user = rest.slice(0, at);
  return namesOnly.test(name) && !user.includes(':') ? rest : `${mask}${rest.slice(at)}`;
}
