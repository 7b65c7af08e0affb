/** `update_plan`: the model writes its steps down, and the user sees them. It has no other effect. */
import * as z from 'zod';
import { failedCall, parseArguments, type Tool } from './tool.ts';

const stepsMax = 50;

const argumentsSchema = z.strictObject({
  explanation: z.string().nullish(),
  plan: z
    .array(
      z.strictObject({
        step: z.string().min(1),
        // The second spelling is the one of our own events.
        status: z.enum(['pending', 'in_progress', 'inProgress', 'completed']),
      }),
    )
    .min(1)
    .max(stepsMax),
});

export const updatePlan: Tool = {
  name: 'update_plan',
  definition: () => ({
    type: 'function',
    name: 'update_plan',
    description:
      'Shows the user your plan: all of its steps in order, each with its status, at most one of them in_progress. Call it again whenever a step is done or the plan changes.',
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        explanation: { type: 'string', description: 'Why the plan changed, if it did.' },
        plan: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              step: { type: 'string', description: 'A short sentence.' },
              status: { type: 'string', enum: ['pending', 'in_progress', 'completed'] },
            },
            required: ['step', 'status'],
            additionalProperties: false,
          },
        },
      },
      required: ['plan'],
      additionalProperties: false,
    },
  }),

  async run(call, context) {
    const parsed = parseArguments(call, argumentsSchema);
    if (!parsed.ok) return failedCall(call, parsed.problem, context);
    const steps = parsed.value.plan.map(({ step, status }) => ({
      step,
      status: status === 'in_progress' ? ('inProgress' as const) : status,
    }));
    if (steps.filter(({ status }) => status === 'inProgress').length > 1)
      return failedCall(call, 'Nothing was done: at most one step of the plan may be in_progress.', context);
    context.emit({ type: 'itemCompleted', item: { id: context.newId(), type: 'plan', steps } });
    return { output: 'Plan updated.' };
  },
};
