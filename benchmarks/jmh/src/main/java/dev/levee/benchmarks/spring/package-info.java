/** The questions about methods that an annotation guards, in applications of Spring. */
@NullMarked
package dev.levee.benchmarks.spring;

import org.jspecify.annotations.NullMarked;
