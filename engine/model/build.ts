/**
 * From the documents of a release to its {@link Model}. Every stage works on what the ones before have made and adds
 * its faults to one list, so that an author sees as much as possible at once; nothing is answered when there is any.
 */
import { buildDerived } from './build/derived.ts';
import { checkDeadlines } from './build/deadlines.ts';
import type { Draft } from './build/draft.ts';
import { buildEntities } from './build/entities.ts';
import { buildFills } from './build/fills.ts';
import { buildFormulas } from './build/formulas.ts';
import { buildLifecycles } from './build/lifecycles.ts';
import { checkMailFields } from './build/mail.ts';
import { buildMetrics } from './build/metrics.ts';
import { buildPermissions } from './build/permissions.ts';
import { checkPolicyCycles } from './build/policy-cycles.ts';
import { buildFlags } from './build/flags.ts';
import { buildRoles } from './build/roles.ts';
import { tieCurrencies } from './build/rollups.ts';
import { buildRules } from './build/rules.ts';
import { buildSequences } from './build/sequences.ts';
import { buildSettings } from './build/settings.ts';
import { buildTemplates } from './build/templates.ts';
import { buildForms, buildMenus, buildTranslations, buildViews } from './build/screens.ts';
import { buildTransitions } from './build/transitions.ts';
import type { ReleaseSource } from './documents.ts';
import { effectiveDocuments } from './effective.ts';
import { Faults } from './faults.ts';
import { sealFieldTypes } from './fields/index.ts';
import { deepFreeze, frozenMap } from './frozen.ts';
import type { Entity, Model } from './model.ts';
import { resourceUrl } from './resource-url.ts';

export { assignIdentities, NO_IDENTITIES } from './identities.ts';

/**
 * @param source everything the release consists of; the same source always builds the same model
 * @returns the model, frozen all the way down
 * @throws Problem `invalid_document` with all faults: document, pointer, what was found, expected and probably meant
 */
export function buildModel(source: ReleaseSource): Model {
  sealFieldTypes();
  const faults = new Faults();
  const effective = effectiveDocuments(source, faults);
  // Documents without a shape would only cause more complaints about what seems to be missing.
  faults.check();
  const draft: Draft = {
    settings: source.settings,
    identities: source.identities,
    effective,
    faults,
    roles: new Map(),
    lifecycles: new Map(),
    entities: new Map(),
    notes: new Map(),
    flags: new Map(),
    declared: new Map(),
    sequences: new Map(),
  };
  buildRoles(draft);
  buildFlags(draft);
  buildSettings(draft);
  buildSequences(draft);
  buildLifecycles(draft);
  buildEntities(draft);
  buildDerived(draft);
  buildFormulas(draft);
  for (const entity of draft.entities.values())
    tieCurrencies(entity.fields.values(), (name) => draft.entities.get(name));
  for (const entity of draft.entities.values()) {
    checkDeadlines(draft, entity);
    buildFills(draft, entity);
  }
  buildTransitions(draft);
  buildPermissions(draft);
  checkPolicyCycles(draft);
  const rules = buildRules(draft);
  checkMailFields(draft, draft.declared);
  const templates = buildTemplates(draft);
  const metrics = buildMetrics(draft);
  const views = buildViews(draft);
  const forms = buildForms(draft);
  const menus = buildMenus(draft, views);
  const translations = buildTranslations(draft);
  faults.check();

  const entities = [...draft.entities.values()].map(freezeEntity);
  return deepFreeze({
    tenant: source.tenant,
    release: source.release,
    country: source.settings.country,
    entities: frozenMap(entities.map((entity) => [entity.name, entity])),
    entitiesByAddress: frozenMap(entities.map((entity) => [resourceUrl(entity), entity])),
    roles: frozenMap(draft.roles),
    lifecycles: frozenMap(
      [...draft.lifecycles].map(([name, { guards: _guards, placeOf: _placeOf, ...lifecycle }]) => [
        name,
        deepFreeze(lifecycle),
      ]),
    ),
    views: frozenMap(views),
    forms: frozenMap(forms),
    menus,
    translations: frozenMap([...translations].map(([locale, texts]) => [locale, frozenMap(texts)])),
    rules: frozenMap(rules),
    flags: frozenMap(draft.flags),
    settings: frozenMap(draft.declared),
    sequences: frozenMap(draft.sequences),
    templates: frozenMap(templates),
    metrics: frozenMap(metrics),
    packs: frozenMap(
      effective.of('pack').map(({ document: { key, version, label } }) => [key, { key, version, label }]),
    ),
  });
}

function freezeEntity(entity: Entity): Entity {
  const fields = [...entity.fields.values()].map((field) => deepFreeze(field));
  return deepFreeze({
    ...entity,
    fields: frozenMap(fields.map((field) => [field.key, field])),
    fieldsById: frozenMap(fields.map((field) => [field.id, field])),
  });
}
