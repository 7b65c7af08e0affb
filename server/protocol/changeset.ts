/** What a task changed, as clients see it, and what became of an apply. */
import * as z from 'zod';

export const hunkStatusSchema = z.enum(['pending', 'accepted', 'rejected', 'conflicting']);
export type HunkStatus = z.infer<typeof hunkStatusSchema>;

export const hunkSchema = z.object({
  id: z.string(),
  header: z.string().describe('`@@ -1,3 +1,4 @@`'),
  status: hunkStatusSchema,
  oldStart: z.number().describe('1-based line in the text as the user has it now'),
  oldLines: z.number(),
  newStart: z.number(),
  newLines: z.number(),
});
export type Hunk = z.infer<typeof hunkSchema>;

export const fileKindSchema = z.enum(['create', 'modify', 'delete', 'rename']);
export type FileKind = z.infer<typeof fileKindSchema>;

export const fileChangeSchema = z.object({
  path: z.string(),
  kind: fileKindSchema,
  from: z.string().optional().describe('where a renamed file was'),
  binary: z.boolean().optional(),
  mode: z.object({ from: z.number().optional(), to: z.number().optional() }).optional(),
  sensitive: z.string().optional().describe('why "all" leaves this file out'),
  alsoChangedBy: z
    .array(z.object({ threadId: z.string(), title: z.string() }))
    .optional()
    .describe('other threads with undecided changes of the same file, whose workspace may be another folder'),
  hunks: z.array(hunkSchema),
});
export type FileChange = z.infer<typeof fileChangeSchema>;

export const changesetSchema = z.object({ threadId: z.string(), files: z.array(fileChangeSchema), diff: z.string() });
export type Changeset = z.infer<typeof changesetSchema>;

export const applyResultSchema = z.object({
  applyId: z.string(),
  applied: z.array(z.string()).describe('paths with at least one hunk applied'),
  conflicts: z.array(z.object({ path: z.string(), hunk: z.string(), reason: z.string() })),
  failed: z.array(z.object({ path: z.string(), reason: z.string() })),
  reload: z.array(z.string()).optional().describe('open in an editor, and written, moved or removed by the server'),
});
export type ApplyResult = z.infer<typeof applyResultSchema>;
