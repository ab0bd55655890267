// The window in which somebody signed in at a provider: done, it closes, which browsers allow if a script opened it.
"use strict";

setTimeout(() => window.close(), 1500);
