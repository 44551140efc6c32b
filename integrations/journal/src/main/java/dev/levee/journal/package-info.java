/**
 * Keeps the writes that a write-behind has accepted in files, so that they survive the process or the loss of power:
 * start with {@link dev.levee.journal.FileJournal}.
 *
 * <p>Provisional: this module grows in later versions.
 */
@NullMarked
package dev.levee.journal;

import org.jspecify.annotations.NullMarked;
