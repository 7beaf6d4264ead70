/** Which changes of a column's type keep every value. */

export type TypeChange =
  /** Every value of the old type is one of the new. */
  | { readonly kind: 'widening' }
  /** Possible when no row has a value that the new type would change; `{}` stands for the column. */
  | { readonly kind: 'lossless'; readonly lost: string }
  | { readonly kind: 'refused' };

const NUMERIC = /^numeric\((\d+),(\d+)\)$/;

export function typeChange(from: string, to: string): TypeChange {
  const old = numericOf(from);
  const next = numericOf(to);
  if (!old || !next) return { kind: 'refused' };
  if (next.scale >= old.scale && next.precision - next.scale >= old.precision - old.scale) return { kind: 'widening' };

  const digits = next.precision - next.scale;
  return { kind: 'lossless', lost: `{} <> trunc({}, ${next.scale}) or abs({}) >= 1e${digits}::numeric` };
}

function numericOf(type: string): { readonly precision: number; readonly scale: number } | null {
  const match = NUMERIC.exec(type);
  if (match) return { precision: Number(match[1]), scale: Number(match[2]) };
  return null;
}
