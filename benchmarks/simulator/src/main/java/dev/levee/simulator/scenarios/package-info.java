/** The scenarios: what is asked, of whom, and under which circumstances. One class for each page of the report. */
@NullMarked
package dev.levee.simulator.scenarios;

import org.jspecify.annotations.NullMarked;
