/** HTTP over the whole application. All cases share one organisation. */
import './testing/body-cases.ts';
import './testing/imports-cases.ts';
import './testing/metadata-cases.ts';
import './testing/pages-cases.ts';
import './testing/records-cases.ts';
import './testing/routes-cases.ts';
import './testing/server-cases.ts';
import './testing/session-cases.ts';
