/** The standard parameters this room reads, checked at the door; what else a client sends in them is let through unread. */
import * as z from 'zod';
import { InvalidParams } from '../task/refusal.ts';

const position = z.object({ line: z.number(), character: z.number() });
const range = z.object({ start: position, end: position });
const textDocument = z.object({ uri: z.string() });

export const codeActionParams = z.object({
  textDocument,
  range,
  context: z
    .object({
      // Given back with the action that fixes them, so every field stays.
      diagnostics: z
        .array(
          z.looseObject({
            range,
            message: z.unknown(),
            severity: z.number().nullish(),
            source: z.string().nullish(),
          }),
        )
        .nullish(),
      only: z.array(z.string()).nullish(),
    })
    .nullish(),
});
export type CodeActionRequest = z.infer<typeof codeActionParams>;
export type SeenDiagnostic = NonNullable<NonNullable<CodeActionRequest['context']>['diagnostics']>[number];

export const placeParams = z.object({ textDocument, position });
export const documentParams = z.object({ textDocument });

export const openParams = z.object({
  textDocument: z.object({
    uri: z.string(),
    languageId: z.string().nullish(),
    version: z.number().nullish(),
    text: z.string(),
  }),
});

const contentChange = z.object({ range: range.nullish(), text: z.string() });
export type ContentChange = z.infer<typeof contentChange>;

export const changeParams = z.object({
  textDocument: z.object({ uri: z.string(), version: z.number().nullish() }),
  contentChanges: z.array(contentChange),
});

const folders = z.array(z.object({ uri: z.string() })).nullish();
export const foldersParams = z.object({ event: z.object({ added: folders, removed: folders }) });
export const configurationParams = z.object({ settings: z.looseObject({ codex: z.unknown() }).nullish() }).nullish();
export const progressParams = z.object({ token: z.union([z.string(), z.number()]) });
export const commandParams = z.object({ command: z.string(), arguments: z.array(z.unknown()).nullish() });

/** Throws `InvalidParams` that names the first wrong field by its path. */
export function checked<T>(schema: z.ZodType<T>, params: unknown, what: string): T {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  throw new InvalidParams(`${what}: ${path.slice(1) || 'the parameters'}: ${issue?.message ?? 'invalid'}`);
}
