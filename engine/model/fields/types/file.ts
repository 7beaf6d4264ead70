/** A file of any kind. Its content stands outside of the database (`engine/files`). */
import { fileType } from '../files.ts';

export const file = fileType('file');
