/** The database process. */
@NullMarked
package dev.levee.examples.shortlink.database;

import org.jspecify.annotations.NullMarked;
