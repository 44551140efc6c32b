/** Upstreams over HTTP clients that block, for the adapters of such clients. Not API. */
@NullMarked
package dev.levee.http.blocking;

import org.jspecify.annotations.NullMarked;
