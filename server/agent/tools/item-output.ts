/** How much of a command's output its item shows, whatever the model may see: events and journal stay small. Pure. */
import { bytesPerToken, truncateMiddle, wholeBytesMax } from '../truncate.ts';
import type { ToolLimits } from './tool.ts';

const itemOutputBytesMax = 16 * 1024;

const bytesMax = ({ outputTokens }: ToolLimits): number => Math.min(itemOutputBytesMax, outputTokens * bytesPerToken);

export const itemOutput = (output: string, limits: ToolLimits): string => truncateMiddle(output, bytesMax(limits));

/** An output of more bytes is not shown whole. */
export const shownBytesMax = (limits: ToolLimits): number => wholeBytesMax(bytesMax(limits));
