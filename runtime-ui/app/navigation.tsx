/** The places the menus of the model lead to. */
import { useModel } from '../api/model.ts';
import { EntityIcon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import { useTranslation } from 'react-i18next';
import { usePlace } from './place.ts';
import { listPath, menuPath, viewKey } from './route.ts';
import classes from './shell.module.css';

export function Navigation({ onFollow }: { readonly onFollow: () => void }) {
  const { t } = useTranslation();
  const model = useModel();
  const place = usePlace();
  const view = new URLSearchParams(place.search).get('$view');
  const menus = model.menus.length > 0 ? model.menus : [everything(t('app.otherEntities'), model)];
  const items = menus.flatMap((menu) => menu.items);
  // One item is current: the one with this view, else the first of this entity.
  const here = (entity: string) => place.path.split('/').slice(1, 3).join('/') === model.entities[entity]?.path;
  const current =
    items.find((item) => here(item.entity) && item.view !== null && viewKey(item.view) === view) ??
    items.find((item) => here(item.entity) && item.view === null) ??
    items.find((item) => here(item.entity));
  return (
    <nav className={classes['scroll']} aria-label={t('app.navigation')}>
      {menus.map((menu) => (
        <section key={menu.key} aria-label={menu.label}>
          <span className={classes['heading']}>{menu.label}</span>
          <ul className={classes['items']}>
            {menu.items.map((item) => {
              const path = menuPath(model, item);
              if (!path) return null;
              return (
                <li key={item.key}>
                  <Link
                    className={classes['item']}
                    href={path}
                    onClick={onFollow}
                    {...(item === current ? { 'aria-current': 'page' as const } : {})}
                  >
                    <EntityIcon name={item.icon ?? model.entities[item.entity]?.icon ?? null} label={item.label} />
                    <span>{item.label}</span>
                  </Link>
                </li>
              );
            })}
          </ul>
        </section>
      ))}
    </nav>
  );
}

/** For organisations without a menu: every list there is. */
function everything(label: string, model: ReturnType<typeof useModel>) {
  const items = Object.values(model.entities)
    .filter((entity) => !entity.child)
    .map((entity) => ({
      key: listPath(entity),
      label: entity.pluralLabel,
      entity: entity.name,
      view: null,
      icon: entity.icon,
    }));
  return { key: '_all', label, icon: null, items };
}
