/** Templates: every placeholder is a field that exists, wherever it stands. */
import type { TemplateDocument } from '../documents.ts';
import type { Place } from '../faults.ts';
import { frozenMap } from '../frozen.ts';
import type { EffectiveDocument } from '../layers.ts';
import type { Template } from '../parts.ts';
import { isTemplateText, parseTemplate, type TemplateText } from '../template-text.ts';
import { type Draft, type DraftEntity, entityNamed, flagNamed } from './draft.ts';

export function buildTemplates(draft: Draft): ReadonlyMap<string, Template> {
  const templates = new Map<string, Template>();
  for (const effective of draft.effective.of('template')) {
    const template = buildTemplate(draft, effective);
    if (template) templates.set(template.name, template);
  }
  return templates;
}

function buildTemplate(draft: Draft, { document, pack, place }: EffectiveDocument<TemplateDocument>): Template | null {
  const entity = entityNamed(draft, document.entity, pack, place('entity'));
  if (!entity) return null;
  const textAt = (text: string, at: Place): TemplateText => {
    const parsed = parseTemplate(text);
    if (isTemplateText(parsed)) {
      checkPaths(draft, entity, parsed, at);
      return parsed;
    }
    draft.faults.add(at, 'invalid', parsed.error);
    return [];
  };
  const variantOf = (
    { subject, body }: { readonly subject?: string; readonly body: string },
    ...path: readonly string[]
  ) => ({
    subject: subject === undefined ? null : textAt(subject, place(...path, 'subject')),
    body: textAt(body, place(...path, 'body')),
  });
  const variants = new Map([['', variantOf(document)]]);
  for (const [locale, variant] of Object.entries(document.locales ?? {}))
    variants.set(locale, variantOf(variant, 'locales', locale));
  return {
    name: `${pack}.${document.key}`,
    key: document.key,
    label: document.label,
    entity: entity.name,
    use: document.use ?? 'email',
    format: document.format ?? 'text',
    variants: frozenMap(variants),
    flag: flagNamed(draft, document.flag, pack, place('flag')),
  };
}

function checkPaths(draft: Draft, entity: DraftEntity, text: TemplateText, place: Place): void {
  for (const node of text) {
    if (node.kind === 'text') continue;
    const inner = follow(draft, entity, node.path, node.kind === 'section', place);
    if (node.kind === 'section' && inner) checkPaths(draft, inner, node.nodes, place);
  }
}

/** The entity that stands inside the section, after a fault none. */
function follow(
  draft: Draft,
  entity: DraftEntity,
  path: readonly string[],
  section: boolean,
  place: Place,
): DraftEntity | undefined {
  let current = entity;
  for (const [index, key] of path.entries()) {
    const last = index === path.length - 1;
    if (last && key === '_title' && !section) return entity;
    const field = current.fields.get(key);
    if (!field) {
      draft.faults.unknown(place, `field of ${current.name}`, key, current.fields.keys());
      return undefined;
    }
    if (last && field.children) {
      if (section) return draft.entities.get(field.children.entity);
      draft.faults.add(
        place,
        'invalid',
        `“${key}” holds parts: write {{#${path.join('.')}}} … {{/${path.join('.')}}}.`,
      );
      return undefined;
    }
    if (last) return entity;
    const target = field.reference && draft.entities.get(field.reference.entity);
    if (!target) {
      draft.faults.add(place, 'invalid', `“${key}” is no reference: nothing can be reached through it.`, {
        found: path.join('.'),
      });
      return undefined;
    }
    current = target;
  }
  return entity;
}
