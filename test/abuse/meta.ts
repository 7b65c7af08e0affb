/** What the suite says of its tests to the reporter that counts them. */
declare module 'vitest' {
  interface TaskMeta {
    /** A case, played as this user. */
    abuse?: 'root' | 'user';
  }
}

export type {};
