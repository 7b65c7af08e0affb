/** The options of `codex-lsp exec` and `resume`: one table for reading them and for `--help`. */
import { parseArgs } from 'node:util';
import { effortSchema } from '../protocol/settings.ts';
import { UsageError } from './usage-error.ts';

/** `value`: the word for it in the help. */
type Option = { type: 'string' | 'boolean'; multiple?: boolean; short?: string; value?: string; doc: string };

const options = {
  cd: { type: 'string', short: 'C', value: 'DIR', doc: 'works in this folder instead of the current one' },
  'add-dir': {
    type: 'string',
    multiple: true,
    value: 'DIR',
    doc: 'a further folder of the workspace; repeatable',
  },
  model: { type: 'string', short: 'm', value: 'MODEL', doc: 'instead of that of the settings' },
  effort: { type: 'string', value: effortSchema.options.join('|'), doc: 'how long the model may think' },
  sandbox: { type: 'string', value: 'workspace|read-only', doc: 'what commands may write to' },
  network: { type: 'string', value: 'off|full|HOST,HOST', doc: 'what commands may reach' },
  approval: {
    type: 'string',
    value: 'onRequest|untrusted|never',
    doc: 'when to ask at the terminal; without it never, which refuses',
  },
  apply: { type: 'boolean', doc: 'writes the changes to the workspace at the end' },
  json: { type: 'boolean', doc: 'prints every event as one line of JSON on stdout' },
  'output-schema': { type: 'string', value: 'FILE', doc: 'a JSON schema that the final message follows' },
  'output-last-message': {
    type: 'string',
    short: 'o',
    value: 'FILE',
    doc: 'writes the final message to this file as well',
  },
  resume: { type: 'string', value: 'THREAD', doc: 'goes on with this thread' },
  last: { type: 'boolean', doc: 'goes on with the newest thread of the folder' },
} as const satisfies Readonly<Record<string, Option>>;

export type ExecName = 'exec' | 'resume';
export type Flags = ReturnType<typeof parseExec>['values'];

/** Throws `UsageError`. */
export function parseExec(name: ExecName, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Lines with their ends. */
export function execHelp(): string {
  const all: [string, Option][] = Object.entries(options);
  const rows = all.map(([name, { short, value, doc }]) => {
    const names = `${short ? `-${short}, ` : '    '}--${name}`;
    return { form: value ? `${names} ${value}` : names, doc };
  });
  rows.push({ form: '-c, --config key=value', doc: 'a setting by its path; repeatable' });
  const lines = rows.map(({ form, doc }) =>
    form.length < 38 ? `  ${form.padEnd(38)}${doc}` : `  ${form}\n${' '.repeat(40)}${doc}`,
  );
  return `
Without PROMPT, or with -, the prompt is read from stdin.
Progress and the diff go to stderr, the final message to stdout.

${lines.join('\n')}

Exit code: 0 completed, 1 failed, 2 bad usage, 3 completed but something could not be applied, 130 interrupted.
`;
}
