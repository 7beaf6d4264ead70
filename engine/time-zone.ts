const known = new Map<string, boolean>();

/**
 * Whether it is the name of a time zone (IANA), such as `Europe/Berlin`. Postgres would also take `XYZ+100` and move
 * everybody's today by days; an offset such as `+02:00` has no summer.
 */
export function isTimeZone(name: string): boolean {
  let answer = known.get(name);
  if (answer === undefined) {
    answer = /^[A-Za-z]/.test(name) && canFormat(name);
    if (known.size >= 1000) known.clear();
    known.set(name, answer);
  }
  return answer;
}

function canFormat(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
