/** What keeps the state folder from being written, as a sentence with the way out. */
import { Refusal } from './refusal.ts';

const causes: Readonly<Record<string, { what: string; way: string }>> = {
  ENOSPC: { what: 'no space is left there', way: 'make room' },
  EDQUOT: { what: 'your quota there is used up', way: 'make room' },
  EROFS: { what: 'it is read-only', way: 'make it writable' },
  EACCES: { what: 'you may not write there', way: 'make it yours' },
  EPERM: { what: 'you may not write there', way: 'make it yours' },
  EIO: { what: 'the disk fails', way: 'see to the disk' },
  EMFILE: { what: 'too many files are open', way: 'raise the limit of open files (ulimit -n)' },
};

/** Of an error that the file system gave about something in the state folder; any other is answered as it is. */
export function stateFault(error: unknown, stateDir: string): unknown {
  if (!(error instanceof Error) || error instanceof Refusal || !isAbout(error, stateDir)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const known = causes[code];
  if (!known) return error;
  const fault = new Refusal(
    'stateFolder',
    `The state folder ${stateDir} cannot be written: ${known.what}. To go on, ${known.way}, or set CODEX_LSP_STATE_DIR to another folder.`,
  );
  fault.cause = error;
  return fault;
}

/** Some calls, such as a write, do not say which file they were about. */
function isAbout(error: Error, stateDir: string): boolean {
  if ('syscall' in error && error.syscall === 'write') return true;
  const paths = ['path', 'dest'].flatMap((name) => (name in error ? [String(Reflect.get(error, name))] : []));
  return paths.some((path) => path.startsWith(stateDir));
}
