/** From runs to pages: seeds, intervals, tables and plots. */
@NullMarked
package dev.levee.simulator.report;

import org.jspecify.annotations.NullMarked;
