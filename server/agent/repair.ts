/** A conversation made valid: every call has exactly one output, every output its call. Pure. */
import * as z from 'zod';
import type { ConversationItem } from '../model/model.ts';

/** What the model is told of a call that was stopped, or that a crash cut off. */
export const abortedOutput = 'aborted by the user';

const callSchema = z.object({
  type: z.enum(['function_call', 'custom_tool_call']),
  call_id: z.string(),
  name: z.string(),
  arguments: z.string().optional(),
  input: z.string().optional(),
});
export type Call = z.infer<typeof callSchema>;

const outputSchema = z.object({
  type: z.enum(['function_call_output', 'custom_tool_call_output']),
  call_id: z.string(),
});

/** The item as a call of a tool, if it is one. */
export const asCall = (item: ConversationItem): Call | undefined => callSchema.safeParse(item).data;

export const outputOf = ({ type, call_id }: Pick<Call, 'type' | 'call_id'>, output: string): ConversationItem => ({
  type: `${type}_output`,
  call_id,
  output,
});

/**
 * Missing outputs are put where the run of calls and outputs ends that their calls stand in, so that the result for a
 * conversation that went on is an extension of the one before. Outputs without a call and repeated ones are dropped.
 */
export function repairConversation(items: readonly ConversationItem[]): ConversationItem[] {
  const repaired: ConversationItem[] = [];
  let open: Call[] = [];
  const close = () => {
    repaired.push(...open.map((call) => outputOf(call, abortedOutput)));
    open = [];
  };

  for (const item of items) {
    const call = asCall(item);
    const output = outputSchema.safeParse(item).data;
    if (call) {
      // Some servers count their calls anew in every response: only two open ones can't be told apart.
      if (open.some(({ call_id }) => call_id === call.call_id)) continue;
      open.push(call);
    } else if (output) {
      const answered = open.findIndex(
        ({ type, call_id }) => call_id === output.call_id && `${type}_output` === output.type,
      );
      if (answered < 0) continue;
      open.splice(answered, 1);
    } else if (open.length > 0 && isUserInput(item)) {
      close();
    }
    repaired.push(item);
  }
  close();
  return repaired;
}

/** Only what comes from us ends the wait for outputs: a response may hold a message or reasoning after a call. */
const isUserInput = (item: ConversationItem): boolean => item.type === 'message' && item.role !== 'assistant';
