/**
 * Drafts: documents that an administrator is still working on, kept under the author's name and based on a release.
 * Drafts of several people come together by the three-way merge; where two have changed the same thing differently, it
 * is said who and where, and nothing is written until somebody decides.
 *
 * They are read and written as the administrator's own database role: whose draft is whose is held by row policies.
 */
import type { Database } from '../db/database.ts';
import { sessionOf } from '../db/database.ts';
import type { Principal } from '../identity/principal.ts';
import { isObject } from '../model/documents.ts';
import {
  byName,
  type DocumentConflict,
  mergeDocuments,
  type MergedDocuments,
  type PlainDocument,
  type Resolutions,
} from '../model/merge-documents.ts';
import { same } from '../model/merge.ts';
import { segments } from '../model/validate.ts';
import { invalidAt, notFound, Problem } from '../problem.ts';
import type { Plan } from './plan.ts';
import type { Publisher } from './publish.ts';
import type { Release } from './release-store.ts';

export interface DraftSummary {
  /** The author's user id. */
  readonly author: string;
  /** E-mail, or name. */
  readonly authorName: string;
  readonly name: string;
  /** Release it is based on. */
  readonly base: number;
  readonly message: string;
  /** Rises with every change. */
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly updatedAt: string;
}

export interface Draft extends DraftSummary {
  /** All of the organisation's own documents, as they are to be. */
  readonly documents: readonly PlainDocument[];
}

export interface DraftInput {
  readonly base: number;
  readonly documents: readonly PlainDocument[];
  readonly message?: string;
}

/** Which draft of another administrator's, or of one's own. */
export interface DraftName {
  /** User id, or e-mail, in lower case. */
  readonly author: string;
  readonly name: string;
}

export type DraftPublisher = Pick<Publisher, 'documents' | 'plan' | 'publish' | 'releases'>;

const SUMMARY = `author::text, author_name, name, base::text, message, version::text,
  to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Releases that are looked through for who changed something; before that, nobody in particular did. */
const LOOKED_THROUGH = 50;

export class Drafts {
  readonly #database: Database;
  readonly #publisher: DraftPublisher;

  constructor(services: { readonly database: Database; readonly publisher: DraftPublisher }) {
    this.#database = services.database;
    this.#publisher = services.publisher;
  }

  /** Those of all administrators, by name. */
  async list(principal: Principal): Promise<readonly DraftSummary[]> {
    const rows = await this.#rows(principal, `select ${SUMMARY} from armature.draft order by name, author`, []);
    return rows.map(summaryOf);
  }

  /** @throws Problem `not_found` */
  async get(principal: Principal, { author, name }: DraftName): Promise<Draft> {
    // An e-mail that was given to somebody else since means whoever has worked under it last.
    const who = author.includes('@') ? 'lower(author_name)' : 'author::text';
    const [row] = await this.#rows(
      principal,
      `select ${SUMMARY}, documents::text from armature.draft where ${who} = $1 and name = $2 order by updated_at desc limit 1`,
      [author, name],
    );
    if (!row) throw notFound();
    return { ...summaryOf(row), documents: documentsOf(row[7] ?? '[]') };
  }

  /**
   * Makes or replaces a draft of one's own.
   * @param version the one that was read; `null` replaces any
   * @throws Problem `invalid` for a release that does not exist, `precondition_failed` when the draft is at another version
   */
  async put(
    principal: Principal,
    name: string,
    { base, documents, message = '' }: DraftInput,
    version: number | null,
  ): Promise<Draft & { readonly created: boolean }> {
    // @throws when there is no such release
    await this.#published(principal, base);
    const [row] = await this.#rows(
      principal,
      `insert into armature.draft as d (name, base, documents, message, author_name) values ($1, $2::integer, $3::json, $4, $6)
       on conflict (tenant_id, author, name) do update set base = excluded.base, documents = excluded.documents,
         message = excluded.message, version = d.version + 1, updated_at = armature.now()
         where $5::integer is null or d.version = $5::integer
       returning ${SUMMARY}`,
      [
        name,
        String(base),
        JSON.stringify(documents),
        message,
        version === null ? null : String(version),
        principal.email ?? principal.name,
      ],
    );
    if (!row) throw stale(await this.get(principal, { author: authorOf(principal), name }));
    const summary = summaryOf(row);
    return { ...summary, documents, created: summary.version === 1 };
  }

  /** @throws Problem `not_found` */
  async remove(principal: Principal, name: string): Promise<void> {
    const rows = await this.#rows(
      principal,
      'delete from armature.draft where author = armature.user_id() and name = $1 returning name',
      [name],
    );
    if (rows.length === 0) throw notFound();
  }

  /**
   * Brings a draft onto the current release.
   * @throws Problem `draft_conflict` with every place that both the draft and a release since have changed
   */
  async rebase(principal: Principal, name: string, resolutions: Resolutions): Promise<Draft> {
    const draft = await this.get(principal, { author: authorOf(principal), name });
    const { release, documents } = await this.#onto(principal, draft, resolutions);
    return this.put(principal, name, { ...draft, base: release, documents }, draft.version);
  }

  /**
   * Takes what other drafts change into one's own.
   * @throws Problem `draft_conflict` with every place that both have changed, `not_found` for a draft that is not there
   */
  async merge(
    principal: Principal,
    name: string,
    others: readonly DraftName[],
    resolutions: Resolutions,
  ): Promise<Draft> {
    const draft = await this.get(principal, { author: authorOf(principal), name });
    const base = await this.#published(principal, draft.base);
    let { documents } = draft;
    const conflicts: DraftConflict[] = [];
    for (const one of others) {
      const other = await this.get(principal, one);
      const who =
        other.author === principal.userId
          ? `Your draft “${other.name}”`
          : `${other.authorName} (draft “${other.name}”)`;
      const told = (found: readonly DocumentConflict[]) =>
        conflicts.push(...found.map((conflict) => ({ ...conflict, author: who })));
      // What the releases between the two bases have changed is no wish of the other draft's.
      const moved = mergeDocuments(await this.#published(principal, other.base), other.documents, base, resolutions);
      told(moved.conflicts);
      const merged = mergeDocuments(base, documents, moved.documents, resolutions);
      told(merged.conflicts);
      ({ documents } = merged);
    }
    if (conflicts.length > 0) throw draftConflict(conflicts);
    return this.put(principal, name, { ...draft, documents }, draft.version);
  }

  /** What publishing the draft on the current release would do. @throws Problem as {@link rebase} */
  async plan(principal: Principal, name: string, resolutions: Resolutions): Promise<Plan> {
    const draft = await this.get(principal, { author: authorOf(principal), name });
    const { release, documents } = await this.#onto(principal, draft, resolutions);
    return this.#publisher.plan(principal.tenant, { base: release, documents });
  }

  /**
   * Publishes the draft on the current release; the draft is gone then.
   * @throws Problem as {@link rebase} and {@link Publisher.publish}
   */
  async publish(
    principal: Principal,
    name: string,
    {
      author,
      message,
      resolutions,
    }: { readonly author: string; readonly message: string | null; readonly resolutions: Resolutions },
  ): Promise<Release> {
    const draft = await this.get(principal, { author: authorOf(principal), name });
    const { release, documents } = await this.#onto(principal, draft, resolutions);
    const published = await this.#publisher.publish(principal.tenant, {
      base: release,
      author,
      message: message ?? (draft.message || `Draft ${name}`),
      documents,
    });
    // One that was changed meanwhile holds more than was published, and stays.
    await this.#rows(
      principal,
      'delete from armature.draft where author = armature.user_id() and name = $1 and version = $2::integer returning name',
      [name, String(draft.version)],
    );
    return published;
  }

  async #onto(
    principal: Principal,
    draft: Draft,
    resolutions: Resolutions,
  ): Promise<{ readonly release: number; readonly documents: readonly PlainDocument[] }> {
    const { release, documents } = await this.#publisher.documents(principal.tenant);
    if (release === draft.base) return { release, documents: draft.documents };
    const base = await this.#published(principal, draft.base);
    const merged: MergedDocuments = mergeDocuments(base, draft.documents, documents, resolutions);
    if (merged.conflicts.length === 0) return { release, documents: merged.documents };
    const conflicts: DraftConflict[] = [];
    for (const conflict of merged.conflicts)
      conflicts.push({ ...conflict, author: await this.#whoChanged(principal, draft.base, release, conflict) });
    throw draftConflict(conflicts);
  }

  /** Author of the last release that changed this place. */
  async #whoChanged(principal: Principal, from: number, to: number, conflict: DocumentConflict): Promise<string> {
    const releases = await this.#publisher.releases(principal.tenant);
    for (let number = to; number > Math.max(from, to - LOOKED_THROUGH); number -= 1) {
      const [now, before] = await Promise.all(
        [number, number - 1].map(async (one) => valueAt(await this.#published(principal, one), conflict)),
      );
      if (!same(now, before)) return releases.find((release) => release.number === number)?.author ?? '';
    }
    return releases.find((release) => release.number === to)?.author ?? '';
  }

  async #published(principal: Principal, release: number): Promise<readonly PlainDocument[]> {
    const { documents } = await this.#publisher.documents(principal.tenant, { release }).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
      throw invalidAt('/base', `There is no release ${release}.`, 'unknown_reference', { found: release });
    });
    return documents;
  }

  async #rows(
    principal: Principal,
    text: string,
    values: readonly (string | null)[],
  ): Promise<readonly (readonly (string | null)[])[]> {
    const [result] = await this.#database.batch(sessionOf(principal), [{ text, values }]);
    return result?.rows ?? [];
  }
}

interface DraftConflict extends DocumentConflict {
  /** Who has changed the same thing. */
  readonly author: string;
}

function draftConflict(conflicts: readonly DraftConflict[]): Problem {
  const details = conflicts.map(({ id, document, pointer, author, base, ours, theirs }) => ({
    code:
      base === undefined
        ? 'both_added'
        : ours === undefined || theirs === undefined
          ? 'changed_and_removed'
          : 'both_changed',
    message: `${author} has changed ${document}${pointer && `, ${pointer}`} as well.`,
    document,
    pointer,
    params: {
      id,
      author,
      base: base ?? null,
      ours: ours ?? null,
      theirs: theirs ?? null,
      resolutions: ['keep', 'take'],
    },
  }));
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  return new Problem(
    'draft_conflict',
    `${details[0]?.message ?? ''}${more} Decide each by its id in “resolutions”: keep yours or take theirs.`,
    details,
  );
}

function stale({ version }: DraftSummary): Problem {
  const message = `The draft is at version ${version} now. Look at it again, then repeat your change.`;
  return new Problem('precondition_failed', message, [
    { code: 'version', message, parameter: 'If-Match', params: { version } },
  ]);
}

function authorOf({ userId }: Principal): string {
  if (userId === null) throw new Problem('forbidden', 'A draft belongs to a person.');
  return userId;
}

function summaryOf(row: readonly (string | null)[]): DraftSummary {
  const [author, authorName, name, base, message, version, updatedAt] = row;
  return {
    author: author ?? '',
    authorName: authorName ?? '',
    name: name ?? '',
    base: Number(base),
    message: message ?? '',
    version: Number(version),
    updatedAt: updatedAt ?? '',
  };
}

function documentsOf(text: string): readonly PlainDocument[] {
  const json: unknown = JSON.parse(text);
  return Array.isArray(json) ? json.filter(isObject) : [];
}

/** The value a conflict is about, in a set of documents. */
function valueAt(documents: readonly PlainDocument[], { document, pointer }: DocumentConflict): unknown {
  let value: unknown = byName(documents).get(document);
  for (const key of segments(pointer)) {
    if (Array.isArray(value)) {
      const list: readonly unknown[] = value;
      value =
        key === '-'
          ? list.map((one) => (isObject(one) ? one['key'] : null))
          : list.find((one) => isObject(one) && one['key'] === key);
    } else value = isObject(value) ? value[key] : undefined;
  }
  return value;
}
