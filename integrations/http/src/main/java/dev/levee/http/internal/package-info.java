/** What the adapters of HTTP clients share. Not API. */
@NullMarked
package dev.levee.http.internal;

import org.jspecify.annotations.NullMarked;
