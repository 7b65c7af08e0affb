/** The settings a user can write, with their defaults: the `codex` section of an editor, config.json, `-c key=value`. */
import * as z from 'zod';
import { hostPatternSchema, hostPatternsMax } from './hosts.ts';

export const effortSchema = z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']);
export type Effort = z.infer<typeof effortSchema>;

const absolutePath = z.string().startsWith('/', 'expected an absolute path');
const positive = z.number().int().positive();
/** As many as Linux can have at all. */
const processesMax = 4_194_304;
const mebibytesMax = 16 * 1024 ** 2;
/** A week. A timer of Node takes 24 days, and one that is longer fires at once. */
const minutesMax = 7 * 24 * 60;
const secondsMax = 24 * 60 * 60;
/** What a command says is kept in memory, and in the journal. */
const tokensMax = 1_000_000;
const stepsMax = 100_000;
const turnsMax = 256;
/** Ten years. */
const daysMax = 3650;

/** Every key is strict: a key that nobody knows is a misspelling, and is reported by its path. */
export const settingsSchema = z.strictObject({
  model: z.string().min(1).default('gpt-5.4').describe('The model asked for.'),
  effort: effortSchema.default('medium').describe('How long the model reasons.'),
  provider: z
    .strictObject({
      baseURL: z.url().optional().describe('Any server of the Responses API; else OPENAI_BASE_URL, else OpenAI.'),
      apiKeyEnv: z
        .string()
        .min(1)
        .default('OPENAI_API_KEY')
        .describe('Name of the environment variable that has the key.'),
      headers: z.record(z.string(), z.string()).optional().describe('Sent with every request.'),
      freeformTools: z.boolean().default(true).describe('False: apply_patch is offered as a function tool.'),
      wireApi: z.enum(['responses', 'chat']).default('responses').describe("'chat' is not implemented yet."),
    })
    .prefault({}),
  approvalPolicy: z
    .enum(['untrusted', 'onRequest', 'never'])
    .default('onRequest')
    .describe('When to ask the user; never = refuse.'),
  sandbox: z
    .strictObject({
      mode: z
        .enum(['workspace', 'readOnly'])
        .default('workspace')
        .describe('What commands may write: the copy, or nothing.'),
      network: z
        .union([z.enum(['off', 'full']), z.array(hostPatternSchema).max(hostPatternsMax)])
        .default('off')
        .describe('What commands may reach; a list: only these hosts, as example.com or *.example.com.'),
      readableRoots: z.array(absolutePath).default([]).describe('Absolute folders that commands may also read.'),
      env: z.array(z.string().min(1)).default([]).describe('Names of environment variables that commands may see.'),
      secrets: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'Files that look secret and that commands may read all the same: paths, or patterns as in `.gitignore`.',
        ),
      sockets: z
        .array(absolutePath)
        .default([])
        .describe('Absolute paths of Unix sockets that commands may connect to. Each turn warns what that gives away.'),
      processes: positive.max(processesMax).default(512).describe('At once, in one command.'),
      memoryMiB: positive.max(mebibytesMax).default(4096).describe('Of memory, for a command as a whole.'),
      diskMiB: positive.max(mebibytesMax).default(2048).describe('That a thread may write in its copy.'),
      dangerouslyUnsandboxed: z
        .boolean()
        .default(false)
        .describe('Run commands without a sandbox, with all your rights, though in a copy still.'),
    })
    .prefault({}),
  apply: z
    .enum(['auto', 'editor', 'disk', 'mixed'])
    .default('auto')
    .describe('Who writes an accepted change: the editor, the server, or each what it does well.'),
  markers: z.array(z.string().min(1)).default(['codex:']).describe('What makes a comment a task.'),
  reviewDiagnostics: z.boolean().default(true).describe('Show pending hunks as diagnostics in the source files.'),
  runOnSave: z.boolean().default(true).describe('Run a task document when it is saved.'),
  events: z.boolean().default(false).describe('Send `$/codex/event` notifications.'),
  limits: z
    .strictObject({
      steps: positive.max(stepsMax).default(200).describe('Model responses in one turn.'),
      turnMinutes: z.number().positive().max(minutesMax).default(60).describe('Then the turn fails with `timeLimit`.'),
      commandSeconds: z
        .number()
        .positive()
        .max(secondsMax)
        .default(600)
        .describe('The longest that the model may ask for.'),
      outputTokens: positive.max(tokensMax).default(10_000).describe('Of one command, as the model sees it.'),
      parallelTurns: positive
        .max(turnsMax)
        .default(4)
        .describe('In one server; the rest wait. Who waits for an answer does not count.'),
    })
    .prefault({}),
  retention: z
    .strictObject({
      archivedDays: z
        .number()
        .positive()
        .max(daysMax)
        .default(90)
        .describe('Archived threads that nobody has touched for longer are removed.'),
      archivedMiB: positive
        .max(mebibytesMax)
        .default(4096)
        .describe('Of all archived threads together; beyond it the oldest are removed.'),
    })
    .prefault({}),
});

export type Settings = z.infer<typeof settingsSchema>;
export const defaultSettings: Settings = settingsSchema.parse({});
