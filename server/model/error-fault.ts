/** What the `openai` package throws, as a fault. By shape and not by class, so that nothing has to be loaded for it. */
import * as z from 'zod';
import {
  droppedStream,
  type ErrorBody,
  type Fault,
  type FaultContext,
  faultOfConnection,
  faultOfStatus,
  faultOfStreamError,
  malformedStream,
} from './fault.ts';

const thrownSchema = z.object({
  name: z.string().optional().catch(undefined),
  message: z.string().catch(''),
  /** Of an HTTP answer; absent where there was none. */
  status: z.number().optional().catch(undefined),
  headers: z
    .custom<Headers>((value) => value instanceof Headers)
    .optional()
    .catch(undefined),
  /** The `error` of the body. */
  error: z.unknown().optional(),
});

const saidCharsMax = 1000;

/** Of opening a stream: an HTTP status, or no connection. */
export function faultOfOpening(error: unknown, context: FaultContext): Fault {
  const thrown = thrownSchema.safeParse(error).data;
  if (thrown?.status === undefined) {
    const code = codeOf(error);
    // All errors of the package have the field; what hasn't got it was thrown before a request could be made.
    if (code !== undefined || (error instanceof Error && 'status' in error))
      return faultOfConnection(code, context.address);
    return {
      reason: 'internal',
      message: `The request to the model can't be made: ${thrown?.message ?? String(error)}`,
    };
  }
  const { status, headers } = thrown;
  const body = bodyOf(thrown.error) ?? { message: plainText(thrown.message, status) };
  return faultOfStatus(status, body, (name) => headers?.get(name) ?? null, context, Date.now());
}

/** Of reading a stream: an `error` event that the package throws, what is no JSON, or a broken connection. */
export function faultOfReading(error: unknown, context: FaultContext): Fault {
  const thrown = thrownSchema.safeParse(error).data;
  if (thrown?.name === 'SyntaxError') return malformedStream('an event that is no JSON');
  const body = bodyOf(thrown?.error);
  return body ? faultOfStreamError(body, context) : droppedStream(context.address);
}

function bodyOf(error: unknown): ErrorBody | undefined {
  if (typeof error === 'string') return { message: shortened(error) };
  const text = z.string().nullish().catch(undefined);
  const body = z.object({ code: text, type: text, message: text }).safeParse(error).data;
  return body && { ...body, message: body.message && shortened(body.message) };
}

/** A body that is no JSON; a page of HTML says nothing worth repeating. The package puts the status before it. */
function plainText(message: string, status: number): string | undefined {
  const text = message.replace(String(status), '').trim();
  return text === '' || text.startsWith('<') || text.includes('(no body)') ? undefined : shortened(text);
}

const shortened = (text: string): string => (text.length > saidCharsMax ? `${text.slice(0, saidCharsMax)}…` : text);

const causesMax = 5;

/** Node's code, which stands somewhere down the chain of causes; the first of several addresses that were tried. */
function codeOf(error: unknown): string | undefined {
  let current = error;
  for (let depth = 0; depth < causesMax; depth += 1) {
    const link = z
      .object({ code: z.unknown().optional(), cause: z.unknown().optional(), errors: z.unknown().optional() })
      .safeParse(current).data;
    if (!link) return undefined;
    if (typeof link.code === 'string') return link.code;
    current = link.cause ?? (Array.isArray(link.errors) ? link.errors[0] : undefined);
  }
  return undefined;
}
