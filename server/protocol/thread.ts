/** Threads, turns, items and events: what clients are told, and, one JSON line each, what a journal holds. */
import * as z from 'zod';
import { applyResultSchema, hunkStatusSchema } from './changeset.ts';

const time = z.string().describe('ISO 8601, UTC');

export const usageSchema = z.object({
  inputTokens: z.number(),
  cachedInputTokens: z.number(),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
  requests: z.number(),
});
export type Usage = z.infer<typeof usageSchema>;

export const threadStatusSchema = z.enum([
  'idle',
  'running',
  'waitingForApproval',
  'inReview',
  'interrupted',
  'failed',
]);
export type ThreadStatus = z.infer<typeof threadStatusSchema>;

const threadFolders = z
  .array(z.string())
  .optional()
  .describe(
    'DocumentUris, where the task has several workspace folders: all that there is of it. `root` is then the closest folder around them; commands start in the first',
  );

export const threadSummarySchema = z.object({
  threadId: z.string(),
  title: z.string(),
  root: z.string().describe('DocumentUri'),
  folders: threadFolders,
  status: threadStatusSchema,
  createdAt: time,
  updatedAt: time,
  archived: z.boolean(),
  unsandboxed: z.boolean().optional().describe('true: the commands of its last turn ran without a sandbox'),
  usage: usageSchema,
});
export type ThreadSummary = z.infer<typeof threadSummarySchema>;

export const approvalKindSchema = z.enum(['command', 'network', 'read', 'question', 'changes']);
export const approvalSchema = z.object({
  approvalId: z.string(),
  threadId: z.string(),
  turnId: z.string(),
  kind: approvalKindSchema,
  title: z.string(),
  detail: z.string().optional(),
  command: z.string().optional(),
  cwd: z.string().optional(),
  hosts: z.array(z.string()).optional(),
  paths: z.array(z.string()).optional(),
  choices: z.array(z.string()).optional(),
  reason: z.string().optional(),
  unsandboxed: z.boolean().optional().describe('true: the commands of its turn run without a sandbox'),
  requestedAt: time,
});
export type Approval = z.infer<typeof approvalSchema>;

export const decisionSchema = z.enum(['accept', 'acceptForThread', 'decline', 'cancel']);
export type Decision = z.infer<typeof decisionSchema>;

export const grantSchema = z.object({
  grantId: z.string().describe('the same after a restart'),
  threadId: z.string(),
  kind: approvalKindSchema.extract(['command', 'network', 'read']),
  command: z.string().optional(),
  cwd: z.string().optional(),
  hosts: z.array(z.string()).optional(),
  paths: z.array(z.string()).optional(),
  at: time,
});
export type Grant = z.infer<typeof grantSchema>;

export const itemStatusSchema = z.enum(['running', 'completed', 'failed', 'declined', 'killed']);
export const commandLimitSchema = z.enum(['time', 'output', 'processes', 'memory', 'disk']);
export type CommandLimit = z.infer<typeof commandLimitSchema>;

export const planStepSchema = z.object({ step: z.string(), status: z.enum(['pending', 'inProgress', 'completed']) });
export type PlanStep = z.infer<typeof planStepSchema>;

export const itemSchema = z.discriminatedUnion('type', [
  z.object({ id: z.string(), type: z.literal('userMessage'), text: z.string() }),
  z.object({ id: z.string(), type: z.literal('agentMessage'), text: z.string() }),
  z.object({ id: z.string(), type: z.literal('reasoning'), text: z.string() }),
  z.object({
    id: z.string(),
    type: z.literal('command'),
    command: z.string(),
    cwd: z.string().describe('workspace-relative; empty for the root'),
    reason: z.string().optional(),
    status: itemStatusSchema,
    exitCode: z.number().optional(),
    output: z.string().optional().describe('its head and tail, where it is long'),
    outputFile: z
      .string()
      .optional()
      .describe('DocumentUri: all that it wrote (8 MiB), where `output` has not all of it'),
    durationMs: z.number().optional(),
    limit: commandLimitSchema
      .optional()
      .describe('which limit was reached; it has ended the command where `status` is `killed`'),
    refusedHosts: z.array(z.string()).optional().describe('hosts that it asked for and was not let through to'),
  }),
  z.object({
    id: z.string(),
    type: z.literal('patch'),
    files: z.array(z.object({ path: z.string(), kind: z.enum(['create', 'modify', 'delete', 'rename']) })),
    status: z.enum(['completed', 'failed', 'declined']),
    error: z.string().optional(),
  }),
  z.object({ id: z.string(), type: z.literal('plan'), steps: z.array(planStepSchema) }),
  z.object({
    id: z.string(),
    type: z.literal('tool'),
    name: z.string(),
    arguments: z.string(),
    status: itemStatusSchema,
    output: z.string().optional(),
  }),
]);
export type Item = z.infer<typeof itemSchema>;
export type ItemOf<T extends Item['type']> = Extract<Item, { type: T }>;

/** Why a turn failed. */
export const failureReasonSchema = z.enum([
  'noModel',
  'unauthorized',
  'quota',
  'rateLimited',
  'unknownModel',
  'contextWindow',
  'network',
  'modelError',
  'stepLimit',
  'timeLimit',
  'budget',
  'sandbox',
  'internal',
]);
export type FailureReason = z.infer<typeof failureReasonSchema>;

export const turnStatusSchema = z.enum(['completed', 'interrupted', 'failed']);
export type TurnStatus = z.infer<typeof turnStatusSchema>;

export const threadEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('threadStarted'), title: z.string(), root: z.string(), folders: threadFolders }),
  z.object({
    type: z.literal('turnStarted'),
    prompt: z.string(),
    model: z.string(),
    mode: z.enum(['task', 'ask']),
    origin: z.object({ path: z.string(), line: z.number() }).optional().describe('where it was delegated from'),
    freeformTools: z.boolean().optional().describe('the form of apply_patch, the same in all turns of a thread'),
    unsandboxed: z.boolean().optional().describe('true: its commands run without a sandbox'),
  }),
  z.object({ type: z.literal('itemStarted'), item: itemSchema }),
  z.object({ type: z.literal('itemCompleted'), item: itemSchema }),
  z.object({ type: z.literal('itemDelta'), itemId: z.string(), delta: z.string() }),
  z.object({ type: z.literal('approvalRequested'), approval: approvalSchema }),
  z.object({
    type: z.literal('approvalResolved'),
    approvalId: z.string(),
    decision: z.union([decisionSchema, z.literal('withdrawn')]),
  }),
  z.object({ type: z.literal('grantRevoked'), grantId: z.string() }),
  z.object({
    type: z.literal('changesetUpdated'),
    files: z.number(),
    additions: z.number(),
    deletions: z.number(),
  }),
  z.object({
    type: z.literal('hunksDecided'),
    hunks: z.array(z.object({ id: z.string(), path: z.string(), status: hunkStatusSchema })),
    comment: z.string().optional(),
  }),
  z.object({ type: z.literal('applied'), result: applyResultSchema }),
  z.object({ type: z.literal('undone'), result: applyResultSchema }),
  z.object({ type: z.literal('usage'), usage: usageSchema }),
  z.object({ type: z.literal('warning'), message: z.string() }),
  z.object({ type: z.literal('renamed'), title: z.string() }),
  z.object({ type: z.literal('archived'), archived: z.boolean() }),
  z.object({
    type: z.literal('forked'),
    from: z.object({ threadId: z.string(), turnId: z.string() }).describe('whose history the events before this are'),
  }),
  z.object({
    type: z.literal('turnCompleted'),
    status: turnStatusSchema,
    summary: z.string().optional(),
    error: z.object({ reason: failureReasonSchema, message: z.string() }).optional(),
  }),
]);
export type ThreadEvent = z.infer<typeof threadEventSchema>;
export type ThreadEventOf<T extends ThreadEvent['type']> = Extract<ThreadEvent, { type: T }>;

export const eventEnvelopeSchema = z.object({
  threadId: z.string(),
  turnId: z.string().optional(),
  seq: z.number().optional().describe('counts up from 1 without gaps; absent on itemDelta, which is live only'),
  at: time,
  event: threadEventSchema,
});
export type EventEnvelope = z.infer<typeof eventEnvelopeSchema>;
