/** The smoke test: a fixed load, faults on schedule, and a judgement. */
@NullMarked
package dev.levee.examples.shortlink.smoke;

import org.jspecify.annotations.NullMarked;
