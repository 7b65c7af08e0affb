/** What a connection to the host begins with: a line of JSON each way. Then come an editor's bytes, or a command's frames. */
import * as z from 'zod';

/** A process's environment has at most 2 MiB on Linux by default. */
export const helloBytesMax = 4 * 1024 * 1024;

const fromConnection = {
  codexLsp: z.literal(1),
  token: z.string(),
  /** Which build of the program connects: one that was built anew has a host of its own. */
  build: z.string(),
  /** Of the process that connects: for the key, the base URL and the names in `sandbox.env`. Never written down. */
  environment: z.record(z.string(), z.string()),
  /** What stood behind its `-c`. */
  flags: z.array(z.string()),
};

export const helloSchema = z.discriminatedUnion('kind', [
  z.object({ ...fromConnection, kind: z.literal('editor') }),
  z.object({
    ...fromConnection,
    kind: z.literal('command'),
    args: z.array(z.string()).min(1),
    /** Absolute. */
    cwd: z.string().startsWith('/'),
    /** Which of its streams are a terminal's. */
    terminal: z.object({ stdin: z.boolean(), stdout: z.boolean(), stderr: z.boolean() }),
  }),
]);
export type Hello = z.infer<typeof helloSchema>;
/** What a connection says of itself; the token is put in where it is sent. */
export type Introduction = Hello extends infer H ? (H extends Hello ? Omit<H, 'token' | 'codexLsp'> : never) : never;

/**
 * Its answer: what follows may begin; or a sentence that says why not, and how the asking process should exit; or that it
 * is of another build, takes no new guests from here on, and leaves the place to a new host.
 */
export type Welcome = { welcome: true } | { refused: string; exitCode: number } | { replaced: true };

/** The last byte of an editor's connection: how the process that relays it exits. No byte of LSP is below 9. */
export type ExitByte = 0 | 1;
