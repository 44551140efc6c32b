/** A URL shortener on Levee: start reading at FrontGuards and NodeGuards. */
@NullMarked
package dev.levee.examples.shortlink;

import org.jspecify.annotations.NullMarked;
