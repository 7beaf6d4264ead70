/**
 * Cells: Postgres clusters on each of which a part of the organisations lives, with everything of theirs: records,
 * people, sessions, jobs. The first is home and keeps the directory; the others know nothing of each other. A request
 * goes to the cell that its token names; only signing in asks around.
 */
import type { Services } from '../services.ts';
import { Problem } from '../problem.ts';
import { Directory } from './directory.ts';

export interface Cell {
  /** `null` for the home cell. */
  readonly key: string | null;
  /** `null` while its Postgres cannot be reached. */
  services(): Services | null;
}

export class Cells {
  readonly home: Services;
  readonly directory: Directory;
  readonly #others: ReadonlyMap<string, Cell>;

  constructor(home: Services, others: ReadonlyMap<string, Cell>) {
    this.home = home;
    this.directory = new Directory(home.database);
    this.#others = others;
  }

  /** Keys of the cells beside the home cell. */
  get keys(): readonly string[] {
    return [...this.#others.keys()];
  }

  /** @throws Problem `unavailable` when there is no such cell, or it cannot be reached now */
  services(key: string | null): Services {
    const services = key === null ? this.home : this.#others.get(key)?.services();
    if (!services) throw new Problem('unavailable', 'This organisation cannot be reached now. Try again later.');
    return services;
  }

  /** The services of the cell on which an organisation lives; those of home for one that is nowhere. */
  async of(tenantKey: string): Promise<Services> {
    return this.services(this.#others.size === 0 ? null : await this.directory.cellOf(tenantKey));
  }

  /** Every cell that can be reached now, home first. */
  reachable(): readonly { readonly key: string | null; readonly services: Services }[] {
    const others = [...this.#others].flatMap(([key, cell]) => {
      const services = cell.services();
      return services ? [{ key, services }] : [];
    });
    return [{ key: null, services: this.home }, ...others];
  }
}
