/** A new organisation on a cell. */
import type { MadeOrganisation, NewOrganisation } from '../organisation.ts';
import { createOrganisation } from '../organisation.ts';
import type { Cells } from './cells.ts';

/**
 * @param cell `null` for home
 * @throws Problem as {@link createOrganisation} does; `unavailable` when the cell cannot be reached
 */
export async function createOrganisationOn(
  cells: Cells,
  cell: string | null,
  wanted: NewOrganisation,
): Promise<MadeOrganisation> {
  const services = cells.services(cell);
  await cells.directory.place(wanted.key, cell);
  try {
    return await createOrganisation(services, wanted);
  } catch (error) {
    // The key is free again unless the organisation is there, with or without its administrator.
    const there = await services.models.get(wanted.key).then(
      () => true,
      () => false,
    );
    if (cell !== null && !there) await cells.directory.release(wanted.key, cell);
    throw error;
  }
}
