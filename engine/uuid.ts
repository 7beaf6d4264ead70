/** The form of an id (RFC 9562), whichever version it says it has: what Postgres takes and gives as `uuid`. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** As the product writes ids: in lower case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** @returns the id as the product writes it, or `null` when this is none */
export function uuidOf(text: string): string | null {
  if (isUuid(text)) return text;
  const id = text.toLowerCase();
  return isUuid(id) ? id : null;
}
