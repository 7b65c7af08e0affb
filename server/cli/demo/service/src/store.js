import { randomUUID } from 'node:crypto';

/** Everything the service remembers, in memory. */
export function createStore() {
  const accounts = new Map();

  return {
    listAccounts: () => [...accounts.values()],

    findAccount: (id) => accounts.get(id),

    findAccountByEmail: (email) => [...accounts.values()].find((account) => account.email === email),

    addAccount({ name, email }) {
      const account = { id: randomUUID(), name, email, createdAt: new Date().toISOString() };
      accounts.set(account.id, account);
      return account;
    },
  };
}
