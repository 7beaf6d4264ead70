/** Documents as they come in, and the releases they make up. */
import type { Document } from './documents.generated.ts';

export type {
  Document,
  EntityDocument,
  FieldDocument,
  FieldSetDocument,
  FlagDocument,
  FormDocument,
  LifecycleDocument,
  MenuDocument,
  MetricDocument,
  PackDocument,
  PermissionDocument,
  RoleDocument,
  RuleDocument,
  SequenceDocument,
  SettingDocument,
  SettingSchema,
  StateDocument,
  TemplateDocument,
  TransitionDocument,
  TranslationDocument,
  ViewDocument,
} from './documents.generated.ts';

export const KINDS = [
  'pack',
  'entity',
  'role',
  'permission',
  'lifecycle',
  'view',
  'form',
  'menu',
  'translation',
  'rule',
  'flag',
  'setting',
  'sequence',
  'template',
  'metric',
] as const;
export type Kind = (typeof KINDS)[number];

export function isKind(value: unknown): value is Kind {
  return KINDS.some((kind) => kind === value);
}

/** A document that has passed its schema. Overrides have every property optional but those of their identity. */
export type DocumentOf<K extends Kind> = Extract<Document, { readonly kind: K }>;

/** A document as it was found. `validateDocuments` gives the shape; until then nothing is known of `document`. */
export interface SourceDocument {
  readonly document: unknown;
  /** Where it stands, for error messages: a file (`crm/opportunity.entity.json`) or `tenant:crm.opportunity`. */
  readonly source: string;
  /** Pack that brings it; `custom` for an organisation's own documents. A document's own `pack` property wins. */
  readonly pack: string;
}

/** Pack key of an organisation's own documents. */
export const CUSTOM = 'custom';
/** Pack key of the engine's built-in documents. */
export const CORE = 'core';

export interface Pack {
  readonly key: string;
  readonly version: string;
  readonly documents: readonly SourceDocument[];
  /** The layer of a plugin: above all packs. */
  readonly plugin?: boolean;
}

/**
 * Immutable identities of everything that keeps data, rights or history: what a release stores so that the next one
 * can tell a rename from a removal. Plain JSON. Names are qualified: `crm.opportunity`, `crm.opportunity.amount`,
 * `sales_rep/crm.opportunity/default`.
 */
export interface Identities {
  readonly entities: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  readonly permissions: Readonly<Record<string, string>>;
}

export interface ReleaseSettings {
  /** ISO 4217. */
  readonly currency: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** IANA name. */
  readonly timeZone: string;
  /** BCP 47. */
  readonly locale: string;
}

/** Everything a model is built from. Stored with a release, it builds the same model again. */
export interface ReleaseSource {
  readonly tenant: string;
  /** Release number, from 1. */
  readonly release: number;
  readonly settings: ReleaseSettings;
  /** Lower layers first; `core` is among them. */
  readonly packs: readonly Pack[];
  readonly tenantDocuments: readonly SourceDocument[];
  readonly identities: Identities;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
