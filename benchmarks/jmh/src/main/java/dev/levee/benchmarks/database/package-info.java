/** What connections to databases cost: one question to a class. */
@NullMarked
package dev.levee.benchmarks.database;

import org.jspecify.annotations.NullMarked;
