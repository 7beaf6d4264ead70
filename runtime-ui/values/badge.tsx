/** A choice or state: a coloured dot beside its text, never colour alone. */
import classes from './value.module.css';

const COLORS: Readonly<Record<string, string>> = {
  grey: 'gray',
  slate: 'gray',
  neutral: 'gray',
  purple: 'violet',
  amber: 'yellow',
  emerald: 'green',
  sky: 'cyan',
  rose: 'pink',
  gold: 'yellow',
  black: 'gray',
};
const KNOWN = new Set([
  'gray',
  'red',
  'pink',
  'grape',
  'violet',
  'indigo',
  'blue',
  'cyan',
  'teal',
  'green',
  'lime',
  'yellow',
  'orange',
]);

export function Badge({ label, color }: { readonly label: string; readonly color: string | null }) {
  const named = color ? (COLORS[color] ?? color) : 'gray';
  return (
    <span className={classes['badge']} data-color={KNOWN.has(named) ? named : 'gray'}>
      <span className={classes['dot']} />
      <span className={classes['badgeText']}>{label}</span>
    </span>
  );
}
