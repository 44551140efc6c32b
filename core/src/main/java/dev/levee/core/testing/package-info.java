/**
 * Time that tests move by hand, and events that tests can read. Needs no test framework.
 *
 * <p><b>Time:</b> {@link dev.levee.core.testing.ManualTime} is the clock, scheduler, executor and random generator of
 * an environment in which nothing sleeps.
 *
 * <p><b>Events:</b> {@link dev.levee.core.testing.RecordingListener} records what policies publish.
 *
 * <p><b>Implementation:</b> {@code VirtualTimeDriver} moves time, {@code TimerQueue} holds the events to come,
 * {@code ParticipatingThreads} and {@code ThreadState} know the real threads, {@code ManualScheduler} and
 * {@code TimedWait} are how these sleep and park.
 */
@NullMarked
package dev.levee.core.testing;

import org.jspecify.annotations.NullMarked;
