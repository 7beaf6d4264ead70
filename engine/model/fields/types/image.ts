/** A picture: PNG, JPEG, WebP or GIF, recognised by its content. SVG is a program and no picture. */
import { fileType } from '../files.ts';

export const image = fileType('image');
