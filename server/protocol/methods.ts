/** Every custom request, as one table: method, command twin, parameters, result. `protocol.md` is printed from it. */
import * as z from 'zod';
import { applyResultSchema, changesetSchema } from './changeset.ts';
import { effortSchema } from './settings.ts';
import { approvalSchema, decisionSchema, eventEnvelopeSchema, grantSchema, threadSummarySchema } from './thread.ts';

const position = z.object({ line: z.number().int().nonnegative(), character: z.number().int().nonnegative() });
export const rangeSchema = z.object({ start: position, end: position });
const uri = z.string().min(1);

const threadRef = z.object({
  threadId: z
    .string()
    .optional()
    .describe(
      'default: the thread this connection last started or opened; else the only one of the workspace with something pending',
    ),
});
const selection = z.object({ hunks: z.array(z.string()).optional(), files: z.array(z.string()).optional() });

type Method = {
  /** One line for protocol.md. */
  doc: string;
  params: z.ZodType;
  result: z.ZodType;
  /** The parameter that a plain text argument of the command twin stands for. */
  text?: string;
};

export const methods = {
  'codex/runTask': {
    doc: 'Starts a turn, in a new thread or in `threadId`. Mode `ask` answers, read-only, without a changeset. Without a prompt: opens a task document.',
    text: 'prompt',
    params: z.object({
      prompt: z.string().optional(),
      threadId: z.string().optional(),
      textDocument: z.object({ uri }).optional(),
      range: rangeSchema.optional(),
      files: z.array(z.string()).optional(),
      root: uri.optional(),
      mode: z.enum(['task', 'ask']).optional(),
      model: z.string().min(1).optional(),
      effort: effortSchema.optional(),
    }),
    result: z.union([z.object({ threadId: z.string(), turnId: z.string() }), z.object({ uri })]),
  },
  'codex/steer': {
    doc: 'Adds a message to the running turn; the model reads it at its next step.',
    text: 'text',
    params: threadRef.extend({ text: z.string().min(1) }),
    result: z.object({ turnId: z.string() }),
  },
  'codex/cancel': {
    doc: 'Stops the running turn and the command it runs.',
    text: 'threadId',
    params: threadRef,
    result: z.object({ status: z.enum(['interrupted', 'idle']) }),
  },
  'codex/approvals': {
    doc: 'What waits for an answer; without `threadId`, in all of the workspace.',
    text: 'threadId',
    params: threadRef,
    result: z.object({ approvals: z.array(approvalSchema) }),
  },
  'codex/approve': {
    doc: 'Answers an approval. It is settled exactly once: a second answer is an error that names the first.',
    text: 'approvalId',
    params: z.object({ approvalId: z.string(), decision: decisionSchema, answer: z.string().optional() }),
    result: z.object({ approvalId: z.string(), decision: decisionSchema }),
  },
  'codex/grants': {
    doc: 'What the user has allowed for the rest of a thread; where no thread is meant, in all of the workspace. The command twin also says it as one message line.',
    text: 'threadId',
    params: threadRef,
    result: z.object({ grants: z.array(grantSchema) }),
  },
  'codex/revoke': {
    doc: 'Takes a grant back, from the next command on.',
    text: 'grantId',
    params: z.object({ grantId: z.string() }),
    result: z.object({}),
  },
  'codex/changeset': {
    doc: 'What the task changed, and `diff`: the pending hunks, applicable to the text as the user has it now.',
    text: 'threadId',
    params: threadRef,
    result: changesetSchema,
  },
  'codex/openReview': {
    doc: 'Writes `review.diff` and shows it where the editor can.',
    text: 'threadId',
    params: threadRef.extend({ hunk: z.string().optional().describe('shown at this hunk') }),
    result: z.object({ uri }),
  },
  'codex/accept': {
    doc: 'Applies hunks: by default every pending one that is not sensitive. Answers when the outcome was verified, at most 10 s later; the command twin answers `{ applyId }` at once.',
    text: 'threadId',
    params: threadRef.extend(selection.shape).extend({
      overMine: z
        .boolean()
        .optional()
        .describe('only with `hunks`: conflicting ones among them replace your lines that stand in their way'),
    }),
    result: applyResultSchema,
  },
  'codex/applyEdited': {
    doc: 'Applies exactly what `review.diff` says, with the lines that the user has edited; hunks that were taken out stay pending. Files of which a hunk does not fit any more are named, and nothing of them is applied. Answers as `codex/accept` does.',
    text: 'threadId',
    params: threadRef
      .extend({ text: z.string().optional().describe('default: the open buffer of `review.diff`, else the file') })
      .extend(selection.shape),
    result: applyResultSchema,
  },
  'codex/sendComments': {
    doc: 'Starts the next turn with the comments in `review.diff` (lines that begin with `>`) that were not sent yet, each with the hunk above it.',
    text: 'threadId',
    params: threadRef.extend({
      text: z.string().optional().describe('default: the open buffer of `review.diff`, else the file'),
    }),
    result: z.object({ threadId: z.string(), turnId: z.string() }),
  },
  'codex/redoHunk': {
    doc: 'Starts a turn that makes a conflicting hunk anew on the text as the user has it now; with it the other conflicting hunks of its file. They leave the review.',
    text: 'hunk',
    params: threadRef.extend({ hunk: z.string().min(1) }),
    result: z.object({ threadId: z.string(), turnId: z.string() }),
  },
  'codex/reject': {
    doc: 'Drops hunks from the review and, at the next turn, from the copy. The comment is told to the model.',
    text: 'threadId',
    params: threadRef.extend(selection.shape).extend({ comment: z.string().optional() }),
    result: changesetSchema,
  },
  'codex/undo': {
    doc: 'Takes the latest apply back; again, the one before. What the user has changed since is merged; where both changed the same lines, their text stays, and the hunk is named in `conflicts`, a file of which nothing could be taken back in `failed`. With `redo`, what was undone last is done again, until the next accept. Answers as `codex/accept` does.',
    text: 'threadId',
    params: threadRef.extend({ redo: z.boolean().optional().describe('does again what was undone last') }),
    result: applyResultSchema,
  },
  'codex/threads': {
    doc: 'The threads of this machine, newest first. With `query`: those with all of its words in the title or in what was asked.',
    text: 'query',
    params: z.object({
      root: uri.optional(),
      archived: z.boolean().optional(),
      query: z.string().optional(),
      limit: z.number().int().positive().max(1000).optional(),
      cursor: z.string().optional().describe('the `nextCursor` of the page before'),
    }),
    result: z.object({ threads: z.array(threadSummarySchema), nextCursor: z.string().optional() }),
  },
  'codex/thread': {
    doc: 'One thread and its events after `since`.',
    text: 'threadId',
    params: z.object({ threadId: z.string(), since: z.number().int().nonnegative().optional() }),
    result: z.object({ thread: threadSummarySchema, events: z.array(eventEnvelopeSchema) }),
  },
  'codex/fork': {
    doc: 'A second thread of the same workspace with the history of a first, up to the end of `turnId` (default: its last turn), named `… (fork)`. Both live on, each with a copy of its own.',
    text: 'threadId',
    params: threadRef.extend({ turnId: z.string().optional() }),
    result: z.object({ threadId: z.string() }),
  },
  'codex/rename': {
    doc: 'Gives a thread a title.',
    params: z.object({
      threadId: z.string(),
      title: z.string().min(1).describe('at most 200 characters; a control character becomes a space'),
    }),
    result: z.object({}),
  },
  'codex/archive': {
    doc: 'Hides a thread from lists, or (`archived: false`) brings it back.',
    text: 'threadId',
    params: z.object({ threadId: z.string(), archived: z.boolean().optional() }),
    result: z.object({}),
  },
  'codex/delete': {
    doc: 'Cancels what runs in a thread, withdraws its approvals and removes its state from disk.',
    text: 'threadId',
    params: z.object({ threadId: z.string() }),
    result: z.object({}),
  },
  'codex/status': {
    doc: 'What runs, what waits, which model and which sandbox. The command twin also says it as one message line.',
    params: z.object({}),
    result: z.object({
      threads: z.array(threadSummarySchema),
      approvals: z.array(approvalSchema),
      model: z.string(),
      sandbox: z.object({ kind: z.enum(['overlay', 'copy', 'seatbelt', 'none']), reason: z.string().optional() }),
    }),
  },
} as const satisfies Record<string, Method>;

export type MethodName = keyof typeof methods;
export type Params<M extends MethodName> = z.infer<(typeof methods)[M]['params']>;
export type Result<M extends MethodName> = z.infer<(typeof methods)[M]['result']>;

/** `codex/runTask` → `codex.runTask`. */
export const commandOf = (method: MethodName): string => method.replace('/', '.');

/** Why a request was refused, in `error.data.reason` of a -32803. */
export const refusalReasons = [
  'unknownThread',
  'ambiguousThread',
  'turnRunning',
  'noTurnRunning',
  'unknownApproval',
  'alreadySettled',
  'unknownGrant',
  'unknownHunk',
  'alreadyDecided',
  'stale',
  'noSandbox',
  'noWorkspace',
  'nothingToUndo',
  'nothingToRedo',
  'nothingToReview',
  'nothingToSend',
  'stateFolder',
  'internal',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];
