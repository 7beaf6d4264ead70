/**
 * What things are called, in a language. Documents carry English labels; translations are looked up by these keys:
 *
 * | key | text |
 * | --- | --- |
 * | `crm.opportunity`, `crm.opportunity.plural` | an entity, many of it |
 * | `crm.opportunity.amount`, `….amount.help` | a field, its help |
 * | `crm.opportunity.priority.high` | a choice, or a state of a lifecycle |
 * | `step:crm.opportunity.stage.win`, `message:…` | a step, what is said when its guard does not hold |
 * | `system:created_at` | a field of the engine |
 * | `view:crm.open_deals`, `form:crm.account.address` | a view, a section of a form |
 * | `menu:crm`, `menu:crm.accounts` | a menu, its entry |
 * | `role:sales_rep`, `pack:crm` | a role, a pack |
 * | `rule:crm.big_deals` | what is said when a record does not keep a rule |
 * | `duplicates:crm.account.same_name` | what records have in common that may be the same |
 * | `flag:crm.forecast`, `template:crm.welcome` | a flag, a template |
 * | `setting:crm.fiscal_year`, `….help` | a setting, its help |
 * | `metric:crm.big_deals` | a metric |
 */
import type { ChoiceLabel } from './field-type.ts';
import type { Entity, Field, Model } from './model.ts';

export const textKey = {
  entity: (entity: string) => entity,
  plural: (entity: string) => `${entity}.plural`,
  field: (entity: Pick<Entity, 'name'>, field: Pick<Field, 'key' | 'system'>) =>
    field.system ? `system:${field.key}` : `${entity.name}.${field.key}`,
  help: (entity: Pick<Entity, 'name'>, field: Pick<Field, 'key'>) => `${entity.name}.${field.key}.help`,
  /** A choice or a state. */
  choice: (entity: string, field: string, choice: string) => `${entity}.${field}.${choice}`,
  step: (entity: string, field: string, transition: string) => `step:${entity}.${field}.${transition}`,
  message: (entity: string, field: string, transition: string) => `message:${entity}.${field}.${transition}`,
  view: (view: string) => `view:${view}`,
  section: (entity: string, section: string) => `form:${entity}.${section}`,
  menu: (menu: string) => `menu:${menu}`,
  item: (menu: string, item: string) => `menu:${menu}.${item}`,
  role: (role: string) => `role:${role}`,
  pack: (pack: string) => `pack:${pack}`,
  /** The message of a rule. */
  rule: (rule: string) => `rule:${rule}`,
  duplicates: (entity: string, rule: string) => `duplicates:${entity}.${rule}`,
  flag: (flag: string) => `flag:${flag}`,
  template: (template: string) => `template:${template}`,
  metric: (metric: string) => `metric:${metric}`,
  setting: (setting: string) => `setting:${setting}`,
  settingHelp: (setting: string) => `setting:${setting}.help`,
} as const;

/**
 * @param locale BCP 47 tag; `de-CH` falls back to `de`
 * @returns a function from key and English text to the text in that language, the English one when there is none
 */
export function translator(model: Model, locale: string): (key: string, english: string) => string {
  const exact = model.translations.get(locale);
  const language = model.translations.get(locale.split('-')[0] ?? locale);
  return (key, english) => exact?.get(key) ?? language?.get(key) ?? english;
}

/** @param translate of {@link translator} @returns what the choices of the entity's fields are called in its language */
export function choiceLabels(translate: ReturnType<typeof translator>, { name }: Pick<Entity, 'name'>): ChoiceLabel {
  return (field, { key, label }) => translate(textKey.choice(name, field.key, key), label);
}

/** Every key a complete translation has, with its English text. */
export function* translatable(model: Model): Generator<readonly [key: string, english: string]> {
  for (const { key, label } of model.packs.values()) yield [textKey.pack(key), label];
  for (const { key, label } of model.roles.values()) yield [textKey.role(key), label];
  const system = new Set<string>();
  for (const entity of model.entities.values()) {
    yield [textKey.entity(entity.name), entity.label];
    yield [textKey.plural(entity.name), entity.pluralLabel];
    for (const field of entity.fields.values()) {
      const key = textKey.field(entity, field);
      if (field.system && system.has(key)) continue;
      system.add(key);
      yield [key, field.label];
      if (field.help !== null) yield [textKey.help(entity, field), field.help];
      for (const choice of field.choices ?? [])
        yield [textKey.choice(entity.name, field.key, choice.key), choice.label];
      for (const step of model.lifecycles.get(field.lifecycle ?? '')?.transitions.values() ?? []) {
        yield [textKey.step(entity.name, field.key, step.key), step.label];
        if (step.guardMessage !== null) yield [textKey.message(entity.name, field.key, step.key), step.guardMessage];
      }
    }
    for (const { key, label } of entity.duplicates) yield [textKey.duplicates(entity.name, key), label];
  }
  for (const rules of model.rules.values()) for (const rule of rules) yield [textKey.rule(rule.name), rule.message];
  for (const flag of model.flags.values()) yield [textKey.flag(flag.name), flag.label];
  for (const template of model.templates.values()) yield [textKey.template(template.name), template.label];
  for (const metric of model.metrics.values()) yield [textKey.metric(metric.name), metric.label];
  for (const setting of model.settings.values()) {
    yield [textKey.setting(setting.name), setting.label];
    if (setting.help !== null) yield [textKey.settingHelp(setting.name), setting.help];
  }
  for (const view of model.views.values()) yield [textKey.view(view.name), view.label];
  for (const form of model.forms.values())
    for (const section of form.sections) yield [textKey.section(form.entity, section.key), section.label];
  for (const menu of model.menus) {
    yield [textKey.menu(menu.key), menu.label];
    for (const item of menu.items) yield [textKey.item(menu.key, item.key), item.label];
  }
}
