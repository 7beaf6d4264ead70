/** `GET /api/ui/model`: the model as this principal may see it, in the principal's language. */
import type { Express } from 'express';
import type { Model } from '../model/model.ts';
import { textKey, translator } from '../model/texts.ts';
import type { Scope } from '../records/scope.ts';
import { authenticate } from './authenticate.ts';
import { searchOf, sendEmpty, sendText } from './exchange.ts';
import type { HttpServices } from './ports.ts';
import { entityTag, matchesNone } from './request-headers.ts';
import { mount } from './routes.ts';
import type { Scopes } from './scopes.ts';
import type { Translate } from './ui-entity.ts';
import { isFor, isReadable, uiEntity } from './ui-entity.ts';
import type { UiMenu, UiModel } from './ui-model.ts';
import { chooseLocale, directionOf, localesOf } from './ui-texts.ts';

type Shared = Pick<UiModel, 'release' | 'locale' | 'direction' | 'locales' | 'menus' | 'entities'>;

/** What people with the same roles and language share, by release. */
const shared = new WeakMap<Model, Map<string, Shared>>();

function menusOf(scope: Scope, translate: Translate): readonly UiMenu[] {
  const { model, rights } = scope;
  return model.menus
    .filter((menu) => isFor(menu.roles, rights.roles))
    .toSorted((a, b) => a.order - b.order)
    .map((menu) => ({
      key: menu.key,
      label: translate(textKey.menu(menu.key), menu.label),
      icon: menu.icon,
      items: menu.items
        .filter((item) => isReadable(rights, item.entity))
        .map((item) => {
          const entity = model.entities.get(item.entity);
          const view = item.view === null ? undefined : model.views.get(item.view);
          // An entry without a name of its own has its entity's, in the person's language.
          const named =
            item.label === entity?.pluralLabel ? translate(textKey.plural(item.entity), item.label) : item.label;
          return {
            key: item.key,
            label: translate(textKey.item(menu.key, item.key), named),
            entity: item.entity,
            view: view && isFor(view.roles, rights.roles) ? view.key : null,
            icon: item.icon ?? entity?.icon ?? null,
          };
        }),
    }))
    .filter((menu) => menu.items.length > 0);
}

function sharedPart(scope: Scope, locale: string): Shared {
  let known = shared.get(scope.model);
  if (!known) shared.set(scope.model, (known = new Map()));
  const key = `${locale} ${scope.principal.roles.join()}`;
  const found = known.get(key);
  if (found) return found;
  const translate = translator(scope.model, locale);
  const entities = [...scope.model.entities.values()].filter((entity) => isReadable(scope.rights, entity.name));
  const made: Shared = {
    release: scope.model.release,
    locale,
    direction: directionOf(locale),
    locales: localesOf(scope.model),
    menus: menusOf(scope, translate),
    entities: Object.fromEntries(entities.map((entity) => [entity.name, uiEntity(scope, entity, translate)])),
  };
  known.set(key, made);
  return made;
}

/**
 * @param wishes locales in order of preference; the first that the model is translated to is taken, English otherwise
 */
export function buildUiModel(scope: Scope, wishes: readonly (string | null | undefined)[]): UiModel {
  const { tenant, principal, model, rights } = scope;
  return {
    tenant: { key: tenant.key, name: tenant.name, currency: tenant.currency, timeZone: tenant.timeZone },
    user: {
      id: principal.userId,
      name: principal.name,
      email: principal.email,
      roles: principal.roles,
      administrator: rights.administrator,
    },
    ...sharedPart(scope, chooseLocale(model, [...wishes, principal.locale, tenant.locale])),
  };
}

export function mountUiModel(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  mount(app, '/api/ui/model', {
    GET: async (exchange) => {
      const scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
      const wish = new URLSearchParams(searchOf(exchange.request.url ?? '')).get('locale');
      const body = JSON.stringify(buildUiModel(scope, [wish]));
      const tag = entityTag(scope.model.release, body);
      if (matchesNone(exchange.request, tag)) return sendEmpty(exchange, 304, ['ETag', tag]);
      sendText(exchange, 200, body, { cache: 'private, no-cache', headers: ['ETag', tag] });
    },
  });
}
