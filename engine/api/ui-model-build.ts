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
import { Flags } from '../settings/flags.ts';
import type { Scopes } from './scopes.ts';
import type { Shown, Translate } from './ui-entity.ts';
import { isFor, shownTo, uiEntity } from './ui-entity.ts';
import type { UiMenu, UiModel } from './ui-model.ts';
import { chooseLocale, directionOf, localesOf } from './ui-texts.ts';

type Shared = Pick<UiModel, 'release' | 'locale' | 'direction' | 'locales' | 'menus' | 'entities'>;

/** What people with the same roles and language share, by release. */
const shared = new WeakMap<Model, Map<string, Shared>>();

function menusOf(scope: Scope, translate: Translate, shown: Shown): readonly UiMenu[] {
  const { model, rights } = scope;
  return model.menus
    .filter((menu) => isFor(menu.roles, rights.roles) && shown.flag(menu.flag))
    .toSorted((a, b) => a.order - b.order)
    .map((menu) => ({
      key: menu.key,
      label: translate(textKey.menu(menu.key), menu.label),
      icon: menu.icon,
      items: menu.items
        .filter((item) => shown.entity(item.entity) && shown.flag(item.flag))
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
            view: view && isFor(view.roles, rights.roles) && shown.flag(view.flag) ? view.key : null,
            icon: item.icon ?? entity?.icon ?? null,
          };
        }),
    }))
    .filter((menu) => menu.items.length > 0);
}

function sharedPart(scope: Scope, locale: string, flags: ReadonlySet<string>): Shared {
  let known = shared.get(scope.model);
  if (!known) shared.set(scope.model, (known = new Map()));
  const key = `${locale} ${scope.principal.roles.join()} ${[...flags].join()}`;
  const found = known.get(key);
  if (found) return found;
  const translate = translator(scope.model, locale);
  const shown = shownTo(scope, flags);
  const entities = [...scope.model.entities.values()].filter((entity) => shown.entity(entity.name));
  const made: Shared = {
    release: scope.model.release,
    locale,
    direction: directionOf(locale),
    locales: localesOf(scope.model),
    menus: menusOf(scope, translate, shown),
    entities: Object.fromEntries(entities.map((entity) => [entity.name, uiEntity(scope, entity, translate, shown)])),
  };
  known.set(key, made);
  return made;
}

/**
 * @param flags those that are on for the principal
 * @param wishes locales in order of preference; the first that the model is translated to is taken, English otherwise
 */
export function buildUiModel(
  scope: Scope,
  wishes: readonly (string | null | undefined)[],
  flags: ReadonlySet<string> = new Set(),
): UiModel {
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
    ...sharedPart(scope, chooseLocale(model, [...wishes, principal.locale, tenant.locale]), flags),
  };
}

export function mountUiModel(app: Express, services: HttpServices, scopes: Scopes, publicOrigin: string): void {
  const flags = new Flags(services);
  mount(app, '/api/ui/model', {
    GET: async (exchange) => {
      const scope = await scopes.of(await authenticate(exchange, services.identity, publicOrigin));
      const wish = new URLSearchParams(searchOf(exchange.request.url ?? '')).get('locale');
      const body = JSON.stringify(buildUiModel(scope, [wish], await flags.on(scope)));
      const tag = entityTag(scope.model.release, body);
      if (matchesNone(exchange.request, tag)) return sendEmpty(exchange, 304, ['ETag', tag]);
      sendText(exchange, 200, body, { cache: 'private, no-cache', headers: ['ETag', tag] });
    },
  });
}
