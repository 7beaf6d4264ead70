/** A new organisation on a cell. */
import type { MadeOrganisation, NewOrganisation } from '../organisation.ts';
import { createOrganisation } from '../organisation.ts';
import { Problem } from '../problem.ts';
import type { Services } from '../services.ts';
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
  await place(cells, cell, services, wanted.key);
  try {
    return await createOrganisation(services, wanted);
  } catch (error) {
    // The key is free again unless the organisation may be there, with or without its administrator: what a cell out of
    // reach has done is not known.
    if (cell !== null && (await isThere(services, wanted.key)) === false)
      await cells.directory.release(wanted.key, cell);
    throw error;
  }
}

/** A key that a server took before it ended, and nothing was made under it, is taken up again. */
async function place(cells: Cells, cell: string | null, services: Services, key: string): Promise<void> {
  try {
    await cells.directory.place(key, cell);
  } catch (error) {
    const begun = cell !== null && error instanceof Problem && error.code === 'unique';
    if (!begun || (await cells.directory.cellOf(key)) !== cell || (await isThere(services, key)) !== false) throw error;
  }
}

/** @returns `null` when nobody can tell now */
async function isThere(services: Services, key: string): Promise<boolean | null> {
  try {
    await services.models.get(key);
    return true;
  } catch (error) {
    return error instanceof Problem && error.code === 'not_found' ? false : null;
  }
}
