// Tests speak both languages without waiting for them.

import { i18n } from "../src/i18n";

await Promise.all([i18n.load("en"), i18n.load("zh")]);
