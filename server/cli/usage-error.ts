/** Bad usage: a sentence, and exit 2. */
export class UsageError extends Error {}
