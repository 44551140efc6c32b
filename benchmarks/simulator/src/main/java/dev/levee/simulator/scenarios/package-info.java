/**
 * The scenarios: what is measured, of which strategies, and under which circumstances. One class for each page of the
 * report.
 */
@NullMarked
package dev.levee.simulator.scenarios;

import org.jspecify.annotations.NullMarked;
