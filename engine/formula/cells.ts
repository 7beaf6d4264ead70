/** Between JSON values and the {@link Cell}s that functions compute with. */
import { Decimal } from 'decimal.js';
import { parseMoment } from '../condition/moment.ts';
import type { Value, ValueType } from '../model/value-type.ts';
import { type Cell, Exact } from './functions/function.ts';

export function toCell(value: unknown, type: ValueType): Cell {
  if (value === null || value === undefined) return null;
  if (type === 'integer' || type === 'decimal') {
    return typeof value === 'number' || typeof value === 'string' ? new Exact(value) : null;
  }
  if (type === 'boolean') return value === true;
  if (typeof value === 'string') return type === 'datetime' ? parseMoment(value) : value;
  // A reference may have come as the record it points at.
  return typeof value === 'object' && 'id' in value && typeof value.id === 'string' ? value.id : null;
}

/**
 * @param scale decimal places of a decimal; without it there are no superfluous zeros
 * @returns an integer as a number while that is exact, else as a string of digits
 */
export function toValue(cell: Cell, type: ValueType, scale?: number): Value {
  if (cell instanceof Decimal) {
    if (type === 'integer' && cell.abs().lte(Number.MAX_SAFE_INTEGER)) return cell.isZero() ? 0 : cell.toNumber();
    return (cell.isZero() ? new Exact(0) : cell).toFixed(scale);
  }
  return typeof cell === 'number' ? new Date(cell).toISOString() : cell;
}
