/**
 * A way to the database for a principal's statements. Besides {@link Database} itself there are two more: into a
 * transaction that is open already ({@link Inside}), and one that keeps nothing ({@link rehearsing}). What is written
 * for one works on all of them.
 */
import type { Session, Transaction } from './database.ts';
import type { Statement, StatementResult } from './execute.ts';

export interface Sender {
  /** Statements as one transaction; see `Database.batch`. */
  batch(session: Session, statements: readonly Statement[]): Promise<StatementResult[]>;
  /** A transaction with decisions between its statements; see `Database.transaction`. */
  transaction<T>(session: Session, work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

const control = (text: string): Statement => ({ text, values: [], unprepared: true });
const SAVE = control('savepoint part');
const KEEP = control('release savepoint part');
const UNDO = [control('rollback to savepoint part'), KEEP] as const;

/** Inside an open transaction every batch is a part of it: one that fails leaves what came before it. */
export class Inside implements Sender {
  readonly #transaction: Transaction;
  readonly #role: string;

  /** @param session whose transaction it is: nobody else's statements may run in it */
  constructor(session: Session, transaction: Transaction) {
    this.#role = session.role;
    this.#transaction = transaction;
  }

  async batch(session: Session, statements: readonly Statement[]): Promise<StatementResult[]> {
    this.#require(session);
    try {
      return (await this.#transaction.send(SAVE, ...statements, KEEP)).slice(1, -1);
    } catch (error) {
      await this.#transaction.send(...UNDO);
      throw error;
    }
  }

  async transaction<T>(session: Session, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#require(session);
    await this.#transaction.send(SAVE);
    try {
      const result = await work(this.#transaction);
      await this.#transaction.send(KEEP);
      return result;
    } catch (error) {
      await this.#transaction.send(...UNDO);
      throw error;
    }
  }

  #require(session: Session): void {
    if (session.role !== this.#role) throw new TypeError('the transaction belongs to another database role');
  }
}

/** Ends a transaction that did what it should and is to leave nothing. */
class Undone extends Error {}

/** What is checked at the commit is checked before the end, because no commit comes. */
const CHECK = control('set constraints all immediate');

/** The same way to the database, except that it keeps nothing: everything is done, checked, and rolled back. */
export function rehearsing(sender: Sender): Sender {
  const undone = async <T>(session: Session, work: (transaction: Transaction) => Promise<T>): Promise<T> => {
    const results: { readonly value: T }[] = [];
    try {
      await sender.transaction(session, async (transaction) => {
        results.push({ value: await work(transaction) });
        await transaction.send(CHECK);
        throw new Undone();
      });
    } catch (error) {
      const [result] = results;
      if (!(error instanceof Undone) || !result) throw error;
      return result.value;
    }
    throw new TypeError('a rehearsal was not undone');
  };
  return {
    transaction: undone,
    batch: (session, statements) => undone(session, (transaction) => transaction.send(...statements)),
  };
}
