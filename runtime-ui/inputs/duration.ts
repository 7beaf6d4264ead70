/** `1:30` for 5400 seconds, `1:30:15` where there are odd seconds; the server reads it back as the same. */
export function clockOf(seconds: number): string {
  const all = Math.abs(seconds);
  const two = (part: number): string => String(part).padStart(2, '0');
  const odd = all % 60 === 0 ? '' : `:${two(all % 60)}`;
  return `${seconds < 0 ? '-' : ''}${Math.floor(all / 3600)}:${two(Math.floor(all / 60) % 60)}${odd}`;
}
