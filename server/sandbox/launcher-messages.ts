/** What a process and its launcher say to each other. `id`: of a chain, or of the run of a tool. */
import type { Order } from './launch.ts';

export type Asked =
  /** `output`: a path that leads to its descriptor. */
  | ({ id: number; what: 'start'; output: string } & Omit<Order, 'output'>)
  | { id: number; what: 'letOn'; chunk: Uint8Array }
  | { id: number; what: 'endLifeline' }
  | { id: number; what: 'run'; tool: string; args: readonly string[]; bytesMax?: number }
  /** Of a tool, that it is to end. */
  | { id: number; what: 'forget' };

/** `ready`: it has begun to listen. */
export type Told = 'ready' | Answer;

export type Answer =
  | { id: number; what: 'started'; pid?: number }
  | { id: number; what: 'status'; chunk: Uint8Array }
  | { id: number; what: 'end'; pipe: 'status' | 'lifeline' }
  | { id: number; what: 'exit'; outcome: number | string }
  | { id: number; what: 'output'; text: string };
