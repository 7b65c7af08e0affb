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
  demo: {
    usage: 'demo',
    doc: 'the main job on a bundled example with a scripted model; no key, no network',
    run: async (args, options) => (await import('./demo.ts')).demo(noArguments('demo', args, options)),
  },
  doctor: {
    usage: 'doctor',
    doc: 'says what works on this machine and how to mend what does not',
    run: async (args, options) => (await import('./doctor.ts')).doctor(noArguments('doctor', args, options)),
  },
  threads: {
    usage: 'threads [--json] [--all]',
    doc: 'lists the threads of this machine, newest first',
    isThroughHost: true,
    run: async (args, options) => (await import('./threads.ts')).threads(args, options),
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
  archive: {
    usage: 'archive THREAD',
    doc: 'hides a thread from lists',
    isThroughHost: true,
    run: async (args, options) => (await import('./threads.ts')).archive(args, options),
  },
  delete: {
    usage: 'delete THREAD',
    doc: 'removes a thread and its copy from disk',
    isThroughHost: true,
    run: async (args, options) => (await import('./threads.ts')).remove(args, options),
  },
};

function noArguments(name: string, args: readonly string[], options: CliOptions): CliOptions {
  if (args.length > 0) throw new UsageError(`'${name}' takes no argument; '${args[0]}' is one too many.`);
  return options;
}
