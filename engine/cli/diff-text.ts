import type { ReleaseDiff } from '../schema/diff-releases.ts';

/** A difference for a terminal: what it means first, then the documents. */
export function diffText({ documents, effect }: ReleaseDiff): string {
  if (documents.length === 0) return 'There is no difference.';
  const lines: string[] = [];
  const section = (title: string, sentences: readonly string[]) => {
    if (sentences.length > 0) lines.push(`${title}:`, ...sentences.map((sentence) => `  ${sentence}`), '');
  };
  section('Data', effect.data);
  section('Who may do what', effect.access);
  lines.push('Documents:');
  const signs = { added: '+', removed: '-', changed: '~' } as const;
  for (const { document, change, properties } of documents) {
    lines.push(`  ${signs[change]} ${document}`);
    for (const { pointer, before, after } of properties)
      lines.push(`      ${pointer || '/'}: ${short(before)} → ${short(after)}`);
  }
  return lines.join('\n');
}

/** Long values are cut: the whole of them is in the answer of the API. */
function short(value: unknown): string {
  const text = value === null ? '(nothing)' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
