/**
 * The questions: one JMH class for each, whose methods are the subjects that answer it.
 *
 * <p>A subject's state is a nested class of its own, so that a fork builds nothing but what it measures. All threads
 * share that state. {@code benchmarks/compare} runs them and makes the table; the iterations, forks and threads are its
 * choice, so the classes say nothing about them.
 */
@NullMarked
package dev.levee.benchmarks;

import org.jspecify.annotations.NullMarked;
