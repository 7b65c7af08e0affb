/** The subcommands: the program's table of contents. Each is loaded when it is called. */
import type { CliOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

export type Subcommand = {
  usage: string;
  doc: string;
  /** What `--help` says below. */
  help?: () => Promise<string>;
  /** Carried out by the host, if one runs: what it works on is the host's, and editors see it live. */
  isThroughHost?: boolean;
  run: (args: readonly string[], options: CliOptions) => Promise<number>;
};

export const subcommands: Readonly<Record<string, Subcommand>> = {
  exec: {
    usage: 'exec [options] [PROMPT | -]',
    doc: 'runs one task without an editor',
    help: async () => (await import('./exec-options.ts')).execHelp(),
    isThroughHost: true,
    run: async (args, options) => (await import('./exec.ts')).exec(args, options),
  },
  resume: {
    usage: 'resume THREAD [PROMPT | -]',
    doc: "goes on with a thread, with exec's options and output",
    help: async () => (await import('./exec-options.ts')).execHelp(),
    isThroughHost: true,
    run: async (args, options) => (await import('./exec.ts')).resume(args, options),
  },
  demo: {
    usage: 'demo',
    doc: 'the main job on a bundled example with a scripted model; no key, no network',
    run: async (args, options) => (await import('./demo.ts')).demo(noArguments('demo', args, options)),
  },
  doctor: {
    usage: 'doctor [--clean]',
    doc: 'says what works on this machine and how to mend what does not, and --clean removes what killed processes left',
    run: async (args, options) => (await import('./doctor.ts')).doctor(args, options),
  },
  threads: {
    usage: 'threads [options]',
    doc: 'lists the threads of this machine, newest first',
    help: async () => (await import('./list-threads.ts')).threadsHelp(),
    isThroughHost: true,
    run: async (args, options) => (await import('./list-threads.ts')).threads(args, options),
  },
  diff: {
    usage: 'diff THREAD',
    doc: 'prints what is pending in a thread, as a diff that git apply takes',
    isThroughHost: true,
    run: async (args, options) => (await import('./threads.ts')).diff(args, options),
  },
  apply: {
    usage: 'apply THREAD [PATH...]',
    doc: 'writes what is pending to the workspace',
    isThroughHost: true,
    run: async (args, options) => (await import('./threads.ts')).apply(args, options),
  },
  undo: {
    usage: 'undo THREAD [--redo]',
    doc: 'takes the last apply back; again, the one before',
    isThroughHost: true,
    run: async (args, options) => (await import('./threads.ts')).undo(args, options),
  },
  fork: {
    usage: 'fork THREAD',
    doc: 'makes a second thread with the history and the copy of a first; prints its THREAD',
    isThroughHost: true,
    run: async (args, options) => (await import('./threads.ts')).fork(args, options),
  },
  rename: {
    usage: 'rename THREAD TITLE',
    doc: 'gives a thread another title',
    isThroughHost: true,
    run: async (args, options) => (await import('./housekeeping.ts')).rename(args, options),
  },
  archive: {
    usage: 'archive THREAD... [--undo]',
    doc: 'hides threads from lists, or brings them back',
    isThroughHost: true,
    run: async (args, options) => (await import('./housekeeping.ts')).archive(args, options),
  },
  unarchive: {
    usage: 'unarchive THREAD...',
    doc: 'brings archived threads back',
    isThroughHost: true,
    run: async (args, options) => (await import('./housekeeping.ts')).unarchive(args, options),
  },
  delete: {
    usage: 'delete THREAD...',
    doc: 'removes threads and their copies from disk',
    isThroughHost: true,
    run: async (args, options) => (await import('./housekeeping.ts')).remove(args, options),
  },
};

function noArguments(name: string, args: readonly string[], options: CliOptions): CliOptions {
  if (args.length > 0) throw new UsageError(`'${name}' takes no argument; '${args[0]}' is one too many.`);
  return options;
}
