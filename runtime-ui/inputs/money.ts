import { isObject } from '../api/problem.ts';

export interface Money {
  readonly amount?: string;
  readonly currency?: string;
}

export function moneyOf(value: unknown): Money {
  if (!isObject(value)) return {};
  const { amount, currency } = value;
  return { ...(typeof amount === 'string' ? { amount } : {}), ...(typeof currency === 'string' ? { currency } : {}) };
}
